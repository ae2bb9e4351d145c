/*
 * load/rejectfile.h
 *	  The file of --reject: what the ledger holds of rejected records, written anew at the end of each run.
 *
 * The ledger is the truth, in the transaction of the rows around a record; so the file has each record once, however
 * often a load was interrupted. Its format, line by line, each field escaped as in COPY's text format:
 *
 *	  #hanzo-datastore-load rejects 1 <tab> format <tab> names of the fields of CSV and TSV
 *	  file <tab> line <tab> SQLSTATE, empty where this program could not read the record <tab> reason <tab> the record
 */
#ifndef HZ_LOAD_REJECTFILE_H
#define HZ_LOAD_REJECTFILE_H

#include "load/ledger.h"
#include "load/record.h"

/* Refuses to overwrite anything but a reject file. Nothing is there under the name before hz_rejectfile_end(). */
extern void hz_rejectfile_begin(const char *path);

/* Records of this layout may go into the file: those of all files have the same fields, or the error is fatal. */
extern void hz_rejectfile_check(const HzLayout *layout);

extern void hz_rejectfile_add(HzLedger *ledger, const HzLoad *load, const HzLayout *layout);
extern void hz_rejectfile_end(void);

#endif /* HZ_LOAD_REJECTFILE_H */
