/* SPDX-License-Identifier: MIT */
#include "bench/histogram.h"

#include <stddef.h>

/* Values below 128 have a bucket each; above, the 7 bits behind the leading one choose. */
static size_t
bucket_of(uint64_t value)
{
	if (value >> HISTOGRAM_BITS == 0)
		return (size_t)value;
	unsigned shift = 63U - (unsigned)__builtin_clzll(value) - HISTOGRAM_BITS;
	return ((size_t)shift << HISTOGRAM_BITS) + (size_t)(value >> shift);
}

/* The largest value that falls into @bucket. */
static uint64_t
top_of(size_t bucket)
{
	if (bucket >> (HISTOGRAM_BITS + 1) == 0)
		return bucket;
	unsigned shift = (unsigned)(bucket >> HISTOGRAM_BITS) - 1;
	uint64_t lead = (bucket & ((1U << HISTOGRAM_BITS) - 1)) | 1U << HISTOGRAM_BITS;
	return (lead << shift) + ((UINT64_C(1) << shift) - 1);
}

void
histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->count++;
	histogram->buckets[bucket_of(value)]++;
	if (value > histogram->largest)
		histogram->largest = value;
}

uint64_t
histogram_quantile(const struct histogram *histogram, double share)
{
	double wanted = share * (double)histogram->count;
	uint64_t seen = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen > 0 && (double)seen >= wanted)
			return top_of(i) < histogram->largest ? top_of(i) : histogram->largest;
	}
	return histogram->largest;
}
