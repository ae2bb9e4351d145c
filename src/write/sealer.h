/*
 * write/sealer.h
 *	  Encoding a full row buffer in a thread while the backend fills the next one.
 *
 * One a backend at a time. The thread runs nothing but pure C (hz_rowsort_run, hz_rowbuffer_load, hz_seal_column) over memory that nobody
 * changes meanwhile: it allocates from a mapping of its own, takes no signal, and looks at a flag between two columns. Unlike
 * the threads of PROTOCOLS 8.4 it outlives a C frame, since a load is a series of calls; so whoever starts it sees to it
 * that it is finished or abandoned before its buffer goes: at every end of a (sub)transaction, and before the
 * process exits.
 */
#ifndef HZ_SEALER_H
#define HZ_SEALER_H

#include "write/seal.h"

/*
 * Starts to sort and to encode the buffer; sort keys that are expressions are evaluated here, and where keys need PostgreSQL's own
 * comparators it is sorted here, too. The buffer and the options must stay as they are. False: there is
 * one already, or a thread is not to be had, or not wanted: seal it yourself.
 */
extern bool hz_sealer_start(HzRowBuffer *buffer, const HzOptions *options);

/*
 * Waits for the thread that works on this buffer and writes the group, as hz_seal(). NULL: there is none, or it has
 * failed, of lack of memory or else; hz_seal() will say why if it does so too. Either way there is none any more.
 */
extern HzGroup *hz_sealer_finish(HzStore *store, const HzRowBuffer *buffer, CommandId cid);

/*
 * Ends the thread, if there is one that works on this buffer (NULL: on any, and gives its memory back), and forgets its
 * work.
 */
extern void hz_sealer_abandon(const HzRowBuffer *buffer);

/* Defines the setting; called once by _PG_init. */
extern void hz_sealer_init(void);

#endif /* HZ_SEALER_H */
