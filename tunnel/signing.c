/* SPDX-License-Identifier: MIT */
#include "tunnel/signing.h"

#include <assert.h>

#include "common/packing.h"
#include "common/unpacking.h"

enum { REQUEST_MARK = 0x53505251, ANSWER_MARK = 0x53504157 };

size_t
signing_encode_request(const struct signing_request *request, uint8_t *bytes)
{
	struct packing packing = {.bytes = bytes};

	assert(request->size <= SIGNING_DATA_LIMIT);
	packing_add_number(&packing, REQUEST_MARK);
	packing_add_number(&packing, request->number);
	packing_add_number(&packing, request->algorithm);
	packing_add(&packing, request->id, SIGNING_ID_SIZE);
	packing_add_block(&packing, request->data, request->size);
	return packing.size;
}

int
signing_decode_request(struct signing_request *request, const uint8_t *bytes, size_t size)
{
	struct unpacking unpacking = {.bytes = bytes, .left = size};
	uint32_t mark = unpacking_take_number(&unpacking);

	request->number = unpacking_take_number(&unpacking);
	request->algorithm = unpacking_take_number(&unpacking);
	request->id = unpacking_take(&unpacking, SIGNING_ID_SIZE);
	request->data = unpacking_take_block(&unpacking, SIGNING_DATA_LIMIT, &request->size);
	return mark == REQUEST_MARK && unpacking_is_done(&unpacking) ? 0 : -1;
}

size_t
signing_encode_answer(const struct signing_answer *answer, uint8_t *bytes)
{
	struct packing packing = {.bytes = bytes};

	assert(answer->size <= SIGNING_ANSWER_LIMIT);
	packing_add_number(&packing, ANSWER_MARK);
	packing_add_number(&packing, answer->number);
	packing_add_number(&packing, answer->good);
	packing_add_block(&packing, answer->bytes, answer->size);
	return packing.size;
}

int
signing_decode_answer(struct signing_answer *answer, const uint8_t *bytes, size_t size)
{
	struct unpacking unpacking = {.bytes = bytes, .left = size};
	uint32_t mark = unpacking_take_number(&unpacking);

	answer->number = unpacking_take_number(&unpacking);
	uint32_t good = unpacking_take_number(&unpacking);
	answer->good = good == 1;
	answer->bytes = unpacking_take_block(&unpacking, SIGNING_ANSWER_LIMIT, &answer->size);
	return mark == ANSWER_MARK && good <= 1 && unpacking_is_done(&unpacking) ? 0 : -1;
}
