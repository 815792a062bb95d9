/* SPDX-License-Identifier: MIT */
#include "tunnel/vaes.h"

#include <dlfcn.h>
#include <gnutls/crypto.h>
#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

/* What the processor must have, and the library must use. */
static const uint64_t features = IMB_FEATURE_AVX512_SKX | IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ;

/* AES-GCM with keys of one length. */
struct gcm {
	aes_gcm_pre_t expand;
	aes_gcm_init_t begin;
	aes_gcm_enc_dec_update_t encrypt;
	aes_gcm_enc_dec_finalize_t end;
	aes_gcm_enc_dec_t open;
};

struct vaes {
	struct gcm_key_data key;
	const struct gcm *gcm;
};

/* Functions of the library. */
struct library {
	unsigned (*version)(void);
	IMB_MGR *(*new_manager)(uint64_t flags);
	void (*set_up)(IMB_MGR *manager, IMB_ARCH *arch);
	void (*free_manager)(IMB_MGR *manager);
};

static struct gcm gcm_128, gcm_256; /* all zero: not there */

static bool
find(void *handle, const char *name, void *function)
{
	void *address = dlsym(handle, name);

	/* As in libcrypto.c: C knows no way from an object to a function, POSIX does. */
	memcpy(function, &address, sizeof(address));
	return address;
}

/* Take the functions that @manager has found to be right for the processor. */
static void
take(const IMB_MGR *manager)
{
	if ((manager->features & features) != features)
		return;
	if (manager->features & IMB_FEATURE_SELF_TEST &&
		!(manager->features & IMB_FEATURE_SELF_TEST_PASS))
		return;
	gcm_128 = (struct gcm){
		.expand = manager->gcm128_pre,
		.begin = manager->gcm128_init,
		.encrypt = manager->gcm128_enc_update,
		.end = manager->gcm128_enc_finalize,
		.open = manager->gcm128_dec,
	};
	gcm_256 = (struct gcm){
		.expand = manager->gcm256_pre,
		.begin = manager->gcm256_init,
		.encrypt = manager->gcm256_enc_update,
		.end = manager->gcm256_enc_finalize,
		.open = manager->gcm256_dec,
	};
}

static void
ask(const struct library *library)
{
	IMB_ARCH arch;
	IMB_MGR *manager = library->new_manager(0);

	if (!manager)
		return;
	library->set_up(manager, &arch);
	take(manager);
	library->free_manager(manager);
}

static void
load(void)
{
	char name[32];
	struct library library;

	if (gnutls_fips140_mode_enabled())
		return;
	(void)snprintf(name, sizeof(name), "libIPSec_MB.so.%d", IMB_VERSION_NUM >> 16);
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return;
	if (find(handle, "imb_get_version", &library.version) &&
		find(handle, "alloc_mb_mgr", &library.new_manager) &&
		find(handle, "init_mb_mgr_auto", &library.set_up) &&
		find(handle, "free_mb_mgr", &library.free_manager) &&
		library.version() == IMB_VERSION_NUM)
		ask(&library);
	if (!gcm_128.open)
		(void)dlclose(handle);
}

const char *
vaes_version(void)
{
	return IMB_VERSION_STR;
}

bool
vaes_is_there(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, load);
	return gcm_128.open;
}

struct vaes *
vaes_new(const void *key, size_t size)
{
	const struct gcm *gcm = size == IMB_KEY_128_BYTES ? &gcm_128 : &gcm_256;
	struct vaes *vaes;

	if (!vaes_is_there() || (size != IMB_KEY_128_BYTES && size != IMB_KEY_256_BYTES))
		return NULL;
	if (posix_memalign((void **)&vaes, ALIGNMENT, sizeof(*vaes)))
		return NULL;
	gcm->expand(key, &vaes->key);
	vaes->gcm = gcm;
	return vaes;
}

void
vaes_free(struct vaes *vaes)
{
	gnutls_memset(vaes, 0, sizeof(*vaes));
	free(vaes);
}

void
vaes_seal(const struct vaes *vaes, const struct aead_frame *frame, const void *data, size_t size,
	uint8_t last, uint8_t *sealed)
{
	const struct gcm *gcm = vaes->gcm;
	struct gcm_context_data context;

	gcm->begin(&vaes->key, &context, frame->nonce, frame->header, frame->header_size);
	gcm->encrypt(&vaes->key, &context, sealed, data, size);
	gcm->encrypt(&vaes->key, &context, sealed + size, &last, sizeof(last));
	gcm->end(&vaes->key, &context, sealed + size + sizeof(last), AEAD_TAG);
	gnutls_memset(&context, 0, sizeof(context));
}

int
vaes_open(const struct vaes *vaes, const struct aead_frame *frame, const uint8_t *sealed,
	size_t size, uint8_t *data)
{
	size_t length = size - AEAD_TAG;
	struct gcm_context_data context;
	uint8_t tag[AEAD_TAG];

	vaes->gcm->open(&vaes->key, &context, data, sealed, length, frame->nonce, frame->header,
		frame->header_size, tag, sizeof(tag));
	gnutls_memset(&context, 0, sizeof(context));
	return gnutls_memcmp(tag, sealed + length, sizeof(tag)) == 0 ? 0 : -1;
}
