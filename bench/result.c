/* SPDX-License-Identifier: MIT */
#include "bench/result.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "bench/options.h"

static const char *const error_names[RESULT_ERRORS] = {
	[RESULT_CONNECT] = "connect",
	[RESULT_BROKEN] = "broken",
	[RESULT_SHORT] = "short",
	[RESULT_WRONG] = "wrong",
	[RESULT_EXTRA] = "extra",
	[RESULT_TIMEOUT] = "timeout",
	[RESULT_DROPPED] = "dropped",
};

static const char *const direction_names[] = {"up", "down", "both"};

static const struct quantile {
	const char *name, *json;
	double share;
} quantiles[] = {
	{"p50", "p50_us", 0.5},
	{"p99", "p99_us", 0.99},
	{"p99.9", "p999_us", 0.999},
	{"max", "max_us", 1.0},
};

static double
microseconds(const struct result *result, const struct quantile *quantile)
{
	return (double)histogram_quantile(&result->latency, quantile->share) / 1e3;
}

static void
print_text(const struct result *result, const struct options *options, double seconds, double mib)
{
	const char *direction = direction_names[options->direction];
	bool bulk = options->command == LOAD_BULK;

	(void)printf("%s%s%s: %" PRIu64 " connection%s, %.2f s, %" PRIu64
		     " done, %.1f/s, %.1f MiB, "
		     "%.1f MiB/s",
		options_command_name(options->command), bulk ? " " : "", bulk ? direction : "",
		options->connections, options->connections == 1 ? "" : "s", seconds, result->done,
		(double)result->done / seconds, mib, mib / seconds);
	for (size_t i = 0; result->latency.count && i < ARRAY_SIZE(quantiles); i++) {
		(void)printf(
			", %s %.1f us", quantiles[i].name, microseconds(result, &quantiles[i]));
	}
	(void)printf(", %" PRIu64 " errors", result_errors(result));
	for (size_t i = 0; i < RESULT_ERRORS; i++) {
		if (result->errors[i])
			(void)printf(", %" PRIu64 " %s", result->errors[i], error_names[i]);
	}
	if (result->wrong_bytes)
		(void)printf(", %" PRIu64 " wrong bytes", result->wrong_bytes);
	(void)printf("\n");
}

static void
print_json(const struct result *result, const struct options *options, double seconds, double mib)
{
	(void)printf("{\"load\":\"%s\",\"direction\":\"%s\",\"connections\":%" PRIu64
		     ",\"seconds\":%.6f,\"done\":%" PRIu64 ",\"per_second\":%.3f,\"bytes\":%" PRIu64
		     ",\"mib_per_second\":%.3f",
		options_command_name(options->command), direction_names[options->direction],
		options->connections, seconds, result->done, (double)result->done / seconds,
		result->bytes, mib / seconds);
	for (size_t i = 0; result->latency.count && i < ARRAY_SIZE(quantiles); i++) {
		(void)printf(
			",\"%s\":%.3f", quantiles[i].json, microseconds(result, &quantiles[i]));
	}
	(void)printf(",\"wrong_bytes\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"errors_by_kind\":{",
		result->wrong_bytes, result_errors(result));
	for (size_t i = 0; i < RESULT_ERRORS; i++)
		(void)printf("%s\"%s\":%" PRIu64, i ? "," : "", error_names[i], result->errors[i]);
	(void)printf("}}\n");
}

void
result_fail(struct result *result, enum result_error error, const char *words, ...)
{
	va_list args;

	if (result_errors(result) == 0) {
		va_start(args, words);
		(void)vsnprintf(result->first.text, sizeof(result->first.text), words, args);
		va_end(args);
	}
	result->errors[error]++;
}

uint64_t
result_errors(const struct result *result)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < RESULT_ERRORS; i++)
		sum += result->errors[i];
	return sum;
}

void
result_print(const struct result *result, const struct options *options)
{
	double seconds = result->nanoseconds ? (double)result->nanoseconds / 1e9 : 1e-9;
	double mib = (double)result->bytes / (1 << 20);

	if (result_errors(result))
		(void)fprintf(stderr, "load: first error: %s\n", result->first.text);
	if (options->json) {
		print_json(result, options, seconds, mib);
	} else {
		print_text(result, options, seconds, mib);
	}
}
