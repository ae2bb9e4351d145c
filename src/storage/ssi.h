/*
 * storage/ssi.h
 *	  Serializable reads of a columnar table (PROTOCOLS 2.10).
 */
#ifndef HZ_SSI_H
#define HZ_SSI_H

#include "utils/rel.h"
#include "utils/snapshot.h"

/*
 * To be called by every read of a columnar table, once per scan: locks the relation for SSI, and reports
 * the writers whose work the snapshot does not see to the conflict checker: those of row groups that it does not see, and of marks in
 * such groups, which this reader would otherwise never come across (a row that compaction has moved since
 * the snapshot is read at its old place, while others delete it at its new one). Nothing to do outside of SERIALIZABLE.
 */
extern void hz_ssi_read(Relation table, Snapshot snapshot);

#endif /* HZ_SSI_H */
