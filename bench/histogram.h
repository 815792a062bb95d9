/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - the distribution of latencies, in constant space and within 1 %.
 *
 * Buckets grow with the value: every power of two has 128 of them. The largest value is exact.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_BITS = 7, /* log2 of the buckets in a power of two */
	HISTOGRAM_BUCKETS = (64 - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS
};

/* All zero is an empty histogram. */
struct histogram {
	uint64_t count;
	uint64_t largest;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Count @value, in whatever unit. */
void histogram_add(struct histogram *histogram, uint64_t value);

/*
 * Return the value that @share (0 to 1) of all values do not exceed: never too low, and less than 1 %
 * too high. 0 when there is none.
 */
uint64_t histogram_quantile(const struct histogram *histogram, double share);

#endif
