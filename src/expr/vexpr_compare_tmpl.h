/*
 * expr/vexpr_compare_tmpl.h
 *	  Comparison kernels of one type of slots; included once per type.
 *
 * Parameters, undefined at the end:
 *	  CMP_NAME       suffix of the functions
 *	  CMP_SLOT       type of the slots
 *	  CMP_VALUE      type that they are compared in
 *	  CMP_EQ(a, b), CMP_LT(a, b), CMP_LE(a, b)  0 or 1, a total order
 *
 * They write 0 or 1 per row to mask.
 */

#define CMP_GLUE2(a, b) a##_##b
#define CMP_GLUE(a, b) CMP_GLUE2(a, b)
#define CMP_LOOP(expression)             \
	do                                   \
	{                                    \
		for (uint32_t i = 0; i < n; i++) \
		{                                \
			CMP_VALUE a = in[i];         \
			CMP_VALUE b = CMP_RIGHT;     \
                                         \
			mask[i] = (expression);      \
		}                                \
	} while (0)
#define CMP_SWITCH                   \
	switch (op)                      \
	{                                \
		case HZ_EQ:                  \
			CMP_LOOP(CMP_EQ(a, b));  \
			break;                   \
		case HZ_NE:                  \
			CMP_LOOP(!CMP_EQ(a, b)); \
			break;                   \
		case HZ_LT:                  \
			CMP_LOOP(CMP_LT(a, b));  \
			break;                   \
		case HZ_LE:                  \
			CMP_LOOP(CMP_LE(a, b));  \
			break;                   \
		case HZ_GT:                  \
			CMP_LOOP(CMP_LT(b, a));  \
			break;                   \
		case HZ_GE:                  \
			CMP_LOOP(CMP_LE(b, a));  \
			break;                   \
	}

HZ_CLONES static void
CMP_GLUE(constant, CMP_NAME)(const CMP_SLOT *restrict in, CMP_VALUE right, HzCompareOp op,
							 uint32_t n, uint8_t *restrict mask)
{
#define CMP_RIGHT right
	CMP_SWITCH
#undef CMP_RIGHT
}

/* unused where no two vectors of these slots meet */
__attribute__((unused)) HZ_CLONES static void
CMP_GLUE(vectors, CMP_NAME)(const CMP_SLOT *restrict in, const CMP_SLOT *restrict other,
							HzCompareOp op, uint32_t n, uint8_t *restrict mask){
#define CMP_RIGHT other[i]
	CMP_SWITCH
#undef CMP_RIGHT
}

HZ_INLINE uint8_t CMP_GLUE(single, CMP_NAME)(CMP_VALUE a, CMP_VALUE b, HzCompareOp op)
{
	switch (op)
	{
		case HZ_EQ:
			return CMP_EQ(a, b);
		case HZ_NE:
			return !CMP_EQ(a, b);
		case HZ_LT:
			return CMP_LT(a, b);
		case HZ_LE:
			return CMP_LE(a, b);
		case HZ_GT:
			return CMP_LT(b, a);
		default:
			return CMP_LE(b, a);
	}
}

/* The selected rows only. */
static void
CMP_GLUE(sparse, CMP_NAME)(const CMP_SLOT *in, CMP_VALUE right, HzCompareOp op, const HzRows *rows,
						   uint8_t *mask)
{
	for (uint32_t i = 0; i < rows->count; i++)
		mask[rows->at[i]] = CMP_GLUE(single, CMP_NAME)(in[rows->at[i]], right, op);
}

/* Many rows or few. */
static void
CMP_GLUE(rows, CMP_NAME)(const HzVector *in, CMP_VALUE right, HzCompareOp op, const HzRows *rows,
						 uint8_t *mask)
{
	if (hz_rows_dense(rows, in->count))
		CMP_GLUE(constant, CMP_NAME)
	(in->values, right, op, rows->at == NULL ? rows->count : in->count, mask);
	else CMP_GLUE(sparse, CMP_NAME)(in->values, right, op, rows, mask);
}

#undef CMP_SWITCH
#undef CMP_LOOP
#undef CMP_GLUE
#undef CMP_GLUE2
#undef CMP_NAME
#undef CMP_SLOT
#undef CMP_VALUE
#undef CMP_EQ
#undef CMP_LT
#undef CMP_LE
