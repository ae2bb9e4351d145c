/*
 * base/thread.c
 *	  See thread.h.
 */
#include <signal.h>

#include "base/thread.h"

#define STACK_BYTES (4 * 1024 * 1024)

bool
hz_thread_start(pthread_t *thread, void *(*main)(void *arg), void *arg)
{
	pthread_attr_t attributes;
	sigset_t all;
	sigset_t before;
	bool started;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
			  pthread_create(thread, &attributes, main, arg) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return started;
}
