/*
 * admin/inspect.c
 *	  Rights of those who look into a table. See inspect.h.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_authid_d.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "admin/inspect.h"
#include "am/columnar_am.h"
#include "base/compat.h"

static bool
may_inspect(Oid relid)
{
	Oid user = GetUserId();

	return pg_class_aclcheck(relid, user, ACL_SELECT) == ACLCHECK_OK ||
		   pg_attribute_aclcheck_all(relid, user, ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK ||
		   has_privs_of_role(user, ROLE_PG_READ_ALL_STATS);
}

void
hz_inspect_check_owner(Oid relid)
{
	char relkind = get_rel_relkind(relid);

	if (relkind == '\0')
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation with OID %u does not exist", relid)));
	if (!object_ownercheck(RelationRelationId, relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(relkind), get_rel_name(relid));
}

Relation
hz_inspect_open(Oid relid)
{
	char relkind = get_rel_relkind(relid);
	Relation rel;

	if (relkind == '\0')
		return NULL;
	/* before the lock, so that nobody waits for, or holds up, what is none of his business */
	if (!may_inspect(relid))
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(relkind), get_rel_name(relid));
	rel = try_relation_open(relid, AccessShareLock);
	if (rel == NULL)
		return NULL;
	if (!hz_am_is_columnar(rel))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not a columnar table", RelationGetRelationName(rel)),
						rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE
							? errhint("Ask for one of its partitions.")
							: errhint("ALTER TABLE ... SET ACCESS METHOD hanzo_columnar makes it "
									  "one.")));
	if (RELATION_IS_OTHER_TEMP(rel))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot read temporary tables of other sessions")));
	return rel;
}

List *
hz_inspect_tables(Oid relid)
{
	List *result = NIL;
	ListCell *cell;

	if (get_rel_relkind(relid) != RELKIND_PARTITIONED_TABLE)
		return list_make1_oid(relid);
	foreach(cell, find_all_inheritors(relid, NoLock, NULL))
	{
		Relation leaf = try_relation_open(lfirst_oid(cell), AccessShareLock);

		if (leaf == NULL)
			continue;
		if (leaf->rd_rel->relkind == RELKIND_RELATION && hz_am_is_columnar(leaf))
			result = lappend_oid(result, lfirst_oid(cell));
		relation_close(leaf, AccessShareLock);
	}
	return result;
}

bool
hz_inspect_may_read(Relation rel, AttrNumber attnum)
{
	Oid relid = RelationGetRelid(rel);

	if (TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attisdropped ||
		check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		return false;
	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		   pg_attribute_aclcheck(relid, attnum, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}
