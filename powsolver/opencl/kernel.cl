// The search for seals, for OpenCL 1.2 and newer. Each work item computes WIDTH
// seals, whose nonces differ in the low part alone, and writes down those that
// qualify. WIDTH is 1 for GPUs, whose items are the lanes of a vector already, and
// the width of a vector of ulong for CPUs, whose compilers do not vectorise this
// by themselves.

#define INLINE static inline __attribute__((always_inline)) // calls would cost registers

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

// V holds words of SHA-256, U lanes of Keccak. Where an item computes one seal, a
// lane is two halves: GPUs have registers of 32 bits, and their compilers make more
// of funnel shifts and three-way operations on those than of 64 bits.
#if WIDTH == 1
typedef uint V;
typedef uint2 U;
#define ITEM(low) (low)
#define LANE_OF(lo, hi) ((U)((lo), (hi)))
#define FUNNEL(a, b, n) (((a) << ((n) & 31)) | ((b) >> (32 - ((n) & 31)))) // n is no multiple of 32
#define R64(x, n) ((n) < 32 ? (U)(FUNNEL((x).s0, (x).s1, n), FUNNEL((x).s1, (x).s0, n)) \
			    : (U)(FUNNEL((x).s1, (x).s0, n), FUNNEL((x).s0, (x).s1, n)))
#define CHI3(x, y, z) bitselect((x) ^ (z), (x), (y))
#define SWAP64(x) ((U)(SWAP32((x).s1), SWAP32((x).s0)))
#else
typedef JOIN(uint, WIDTH) V;
typedef JOIN(ulong, WIDTH) U;
#define TO_U(v) JOIN(convert_ulong, WIDTH)(v)
#if WIDTH == 2
#define STEPS 0, 1
#elif WIDTH == 4
#define STEPS 0, 1, 2, 3
#else
#define STEPS 0, 1, 2, 3, 4, 5, 6, 7
#endif
#define ITEM(low) ((V)(low) + (V)(STEPS))
#define LANE_OF(lo, hi) (TO_U(lo) | TO_U(hi) << 32)
#define R64(x, n) rotate((x), (U)(n))
#define CHI3(x, y, z) ((x) ^ ((z) & ~(y)))
#define SWAP64(x) ((R64(x, 8) & 0x000000ff000000ffUL) | (R64(x, 24) & 0x0000ff000000ff00UL) | \
		   (R64(x, 40) & 0x00ff000000ff0000UL) | (R64(x, 56) & 0xff000000ff000000UL))
#endif
#define CONSTANT(lo, hi) LANE_OF((V)(lo), (V)(hi))

// ---- SHA-256 (FIPS 180-4) -------------------------------------------------------
//
// Only the first word of the block varies. What does not depend on it comes from
// the host, in the order of jobOf in worker.go.

#define STATE(i) job[i]
#define WORD0 job[8]
#define A1 job[9]
#define E1 job[10]
#define KW(i) job[11 + (i)] // rounds 0 to 22
#define C(i) job[34 + (i) - 16] // message words 16 to 37

#define R32(x, n) rotate((x), (V)(32 - (n)))
#define SUM0(x) (R32(x, 2) ^ R32(x, 13) ^ R32(x, 22))
#define SUM1(x) (R32(x, 6) ^ R32(x, 11) ^ R32(x, 25))
#define SIG0(x) (R32(x, 7) ^ R32(x, 18) ^ ((x) >> 3))
#define SIG1(x) (R32(x, 17) ^ R32(x, 19) ^ ((x) >> 10))
#define CH(x, y, z) bitselect((z), (y), (x))
#define MAJ(x, y, z) bitselect((x), (y), (x) ^ (z))
#define SWAP32(x) ((rotate((x), (V)(8)) & 0x00ff00ffu) | (rotate((x), (V)(24)) & 0xff00ff00u))

#define FIRST(a, b, c, d, e, f, g, h, kw) \
	t = SUM1(e) + CH(e, f, g) + (kw); \
	d += t; \
	h = t + SUM0(a) + MAJ(a, b, c);
#define ROUND(a, b, c, d, e, f, g, h, kw) \
	t = h + SUM1(e) + CH(e, f, g) + (kw); \
	d += t; \
	h = t + SUM0(a) + MAJ(a, b, c);

// Two words of the digest are one lane of Keccak, which reads little-endian.
#define LANE(x, i, y, k) LANE_OF(SWAP32((x) + STATE(i)), SWAP32((y) + STATE(k)))

INLINE void sha256(__constant uint *job, V low, U lane[4])
{
	const V w0 = SWAP32(low) | WORD0;
	V t, a = STATE(0), b = STATE(1), c = STATE(2), d = w0 + E1;
	V e = STATE(4), f = STATE(5), g = STATE(6), h = w0 + A1;

	FIRST(h, a, b, c, d, e, f, g, KW(1))
	FIRST(g, h, a, b, c, d, e, f, KW(2))
	FIRST(f, g, h, a, b, c, d, e, KW(3))
	ROUND(e, f, g, h, a, b, c, d, KW(4))
	ROUND(d, e, f, g, h, a, b, c, KW(5))
	ROUND(c, d, e, f, g, h, a, b, KW(6))
	ROUND(b, c, d, e, f, g, h, a, KW(7))
	ROUND(a, b, c, d, e, f, g, h, KW(8))
	ROUND(h, a, b, c, d, e, f, g, KW(9))
	ROUND(g, h, a, b, c, d, e, f, KW(10))
	ROUND(f, g, h, a, b, c, d, e, KW(11))
	ROUND(e, f, g, h, a, b, c, d, KW(12))
	ROUND(d, e, f, g, h, a, b, c, KW(13))
	ROUND(c, d, e, f, g, h, a, b, KW(14))
	ROUND(b, c, d, e, f, g, h, a, KW(15))
	const V w16 = w0 + C(16);
	ROUND(a, b, c, d, e, f, g, h, w16 + KW(16))
	ROUND(h, a, b, c, d, e, f, g, KW(17))
	const V w18 = SIG1(w16) + C(18);
	ROUND(g, h, a, b, c, d, e, f, w18 + KW(18))
	ROUND(f, g, h, a, b, c, d, e, KW(19))
	const V w20 = SIG1(w18) + C(20);
	ROUND(e, f, g, h, a, b, c, d, w20 + KW(20))
	ROUND(d, e, f, g, h, a, b, c, KW(21))
	const V w22 = SIG1(w20) + C(22);
	ROUND(c, d, e, f, g, h, a, b, w22 + KW(22))
	const V w23 = w16 + C(23);
	ROUND(b, c, d, e, f, g, h, a, w23 + 0x76f988dau)
	const V w24 = SIG1(w22) + C(24);
	ROUND(a, b, c, d, e, f, g, h, w24 + 0x983e5152u)
	const V w25 = SIG1(w23) + w18 + C(25);
	ROUND(h, a, b, c, d, e, f, g, w25 + 0xa831c66du)
	const V w26 = SIG1(w24) + C(26);
	ROUND(g, h, a, b, c, d, e, f, w26 + 0xb00327c8u)
	const V w27 = SIG1(w25) + w20 + C(27);
	ROUND(f, g, h, a, b, c, d, e, w27 + 0xbf597fc7u)
	const V w28 = SIG1(w26) + C(28);
	ROUND(e, f, g, h, a, b, c, d, w28 + 0xc6e00bf3u)
	const V w29 = SIG1(w27) + w22 + C(29);
	ROUND(d, e, f, g, h, a, b, c, w29 + 0xd5a79147u)
	const V w30 = SIG1(w28) + w23 + C(30);
	ROUND(c, d, e, f, g, h, a, b, w30 + 0x06ca6351u)
	const V w31 = SIG1(w29) + w24 + SIG0(w16) + C(31);
	ROUND(b, c, d, e, f, g, h, a, w31 + 0x14292967u)
	const V w32 = SIG1(w30) + w25 + w16 + C(32);
	ROUND(a, b, c, d, e, f, g, h, w32 + 0x27b70a85u)
	const V w33 = SIG1(w31) + w26 + SIG0(w18) + C(33);
	ROUND(h, a, b, c, d, e, f, g, w33 + 0x2e1b2138u)
	const V w34 = SIG1(w32) + w27 + w18 + C(34);
	ROUND(g, h, a, b, c, d, e, f, w34 + 0x4d2c6dfcu)
	const V w35 = SIG1(w33) + w28 + SIG0(w20) + C(35);
	ROUND(f, g, h, a, b, c, d, e, w35 + 0x53380d13u)
	const V w36 = SIG1(w34) + w29 + w20 + C(36);
	ROUND(e, f, g, h, a, b, c, d, w36 + 0x650a7354u)
	const V w37 = SIG1(w35) + w30 + SIG0(w22) + C(37);
	ROUND(d, e, f, g, h, a, b, c, w37 + 0x766a0abbu)
	const V w38 = SIG1(w36) + w31 + SIG0(w23) + w22;
	ROUND(c, d, e, f, g, h, a, b, w38 + 0x81c2c92eu)
	const V w39 = SIG1(w37) + w32 + SIG0(w24) + w23;
	ROUND(b, c, d, e, f, g, h, a, w39 + 0x92722c85u)
	const V w40 = SIG1(w38) + w33 + SIG0(w25) + w24;
	ROUND(a, b, c, d, e, f, g, h, w40 + 0xa2bfe8a1u)
	const V w41 = SIG1(w39) + w34 + SIG0(w26) + w25;
	ROUND(h, a, b, c, d, e, f, g, w41 + 0xa81a664bu)
	const V w42 = SIG1(w40) + w35 + SIG0(w27) + w26;
	ROUND(g, h, a, b, c, d, e, f, w42 + 0xc24b8b70u)
	const V w43 = SIG1(w41) + w36 + SIG0(w28) + w27;
	ROUND(f, g, h, a, b, c, d, e, w43 + 0xc76c51a3u)
	const V w44 = SIG1(w42) + w37 + SIG0(w29) + w28;
	ROUND(e, f, g, h, a, b, c, d, w44 + 0xd192e819u)
	const V w45 = SIG1(w43) + w38 + SIG0(w30) + w29;
	ROUND(d, e, f, g, h, a, b, c, w45 + 0xd6990624u)
	const V w46 = SIG1(w44) + w39 + SIG0(w31) + w30;
	ROUND(c, d, e, f, g, h, a, b, w46 + 0xf40e3585u)
	const V w47 = SIG1(w45) + w40 + SIG0(w32) + w31;
	ROUND(b, c, d, e, f, g, h, a, w47 + 0x106aa070u)
	const V w48 = SIG1(w46) + w41 + SIG0(w33) + w32;
	ROUND(a, b, c, d, e, f, g, h, w48 + 0x19a4c116u)
	const V w49 = SIG1(w47) + w42 + SIG0(w34) + w33;
	ROUND(h, a, b, c, d, e, f, g, w49 + 0x1e376c08u)
	const V w50 = SIG1(w48) + w43 + SIG0(w35) + w34;
	ROUND(g, h, a, b, c, d, e, f, w50 + 0x2748774cu)
	const V w51 = SIG1(w49) + w44 + SIG0(w36) + w35;
	ROUND(f, g, h, a, b, c, d, e, w51 + 0x34b0bcb5u)
	const V w52 = SIG1(w50) + w45 + SIG0(w37) + w36;
	ROUND(e, f, g, h, a, b, c, d, w52 + 0x391c0cb3u)
	const V w53 = SIG1(w51) + w46 + SIG0(w38) + w37;
	ROUND(d, e, f, g, h, a, b, c, w53 + 0x4ed8aa4au)
	const V w54 = SIG1(w52) + w47 + SIG0(w39) + w38;
	ROUND(c, d, e, f, g, h, a, b, w54 + 0x5b9cca4fu)
	const V w55 = SIG1(w53) + w48 + SIG0(w40) + w39;
	ROUND(b, c, d, e, f, g, h, a, w55 + 0x682e6ff3u)
	const V w56 = SIG1(w54) + w49 + SIG0(w41) + w40;
	ROUND(a, b, c, d, e, f, g, h, w56 + 0x748f82eeu)
	const V w57 = SIG1(w55) + w50 + SIG0(w42) + w41;
	ROUND(h, a, b, c, d, e, f, g, w57 + 0x78a5636fu)
	const V w58 = SIG1(w56) + w51 + SIG0(w43) + w42;
	ROUND(g, h, a, b, c, d, e, f, w58 + 0x84c87814u)
	const V w59 = SIG1(w57) + w52 + SIG0(w44) + w43;
	ROUND(f, g, h, a, b, c, d, e, w59 + 0x8cc70208u)
	const V w60 = SIG1(w58) + w53 + SIG0(w45) + w44;
	ROUND(e, f, g, h, a, b, c, d, w60 + 0x90befffau)
	const V w61 = SIG1(w59) + w54 + SIG0(w46) + w45;
	ROUND(d, e, f, g, h, a, b, c, w61 + 0xa4506cebu)
	const V w62 = SIG1(w60) + w55 + SIG0(w47) + w46;
	ROUND(c, d, e, f, g, h, a, b, w62 + 0xbef9a3f7u)
	const V w63 = SIG1(w61) + w56 + SIG0(w48) + w47;
	ROUND(b, c, d, e, f, g, h, a, w63 + 0xc67178f2u)

	lane[0] = LANE(a, 0, b, 1);
	lane[1] = LANE(c, 2, d, 3);
	lane[2] = LANE(e, 4, f, 5);
	lane[3] = LANE(g, 6, h, 7);
}

// ---- Keccak-f[1600] (FIPS 202, section 3) ---------------------------------------

__constant uint2 RC[24] = { // low half, high half
	{0x00000001, 0x00000000}, {0x00008082, 0x00000000}, {0x0000808a, 0x80000000}, {0x80008000, 0x80000000},
	{0x0000808b, 0x00000000}, {0x80000001, 0x00000000}, {0x80008081, 0x80000000}, {0x00008009, 0x80000000},
	{0x0000008a, 0x00000000}, {0x00000088, 0x00000000}, {0x80008009, 0x00000000}, {0x8000000a, 0x00000000},
	{0x8000808b, 0x00000000}, {0x0000008b, 0x80000000}, {0x00008089, 0x80000000}, {0x00008003, 0x80000000},
	{0x00008002, 0x80000000}, {0x00000080, 0x80000000}, {0x0000800a, 0x00000000}, {0x8000000a, 0x80000000},
	{0x80008081, 0x80000000}, {0x00008080, 0x80000000}, {0x80000001, 0x00000000}, {0x80008008, 0x80000000},
};
#define ROUND_CONSTANT(i) CONSTANT(RC[i].s0, RC[i].s1)

#define THETA(a) \
	c0 = a##0 ^ a##5 ^ a##10 ^ a##15 ^ a##20; \
	c1 = a##1 ^ a##6 ^ a##11 ^ a##16 ^ a##21; \
	c2 = a##2 ^ a##7 ^ a##12 ^ a##17 ^ a##22; \
	c3 = a##3 ^ a##8 ^ a##13 ^ a##18 ^ a##23; \
	c4 = a##4 ^ a##9 ^ a##14 ^ a##19 ^ a##24; \
	d0 = c4 ^ R64(c1, 1); \
	d1 = c0 ^ R64(c2, 1); \
	d2 = c1 ^ R64(c3, 1); \
	d3 = c2 ^ R64(c4, 1); \
	d4 = c3 ^ R64(c0, 1);

#define CHI(e0, e1, e2, e3, e4) \
	e0 = CHI3(b0, b1, b2); \
	e1 = CHI3(b1, b2, b3); \
	e2 = CHI3(b2, b3, b4); \
	e3 = CHI3(b3, b4, b0); \
	e4 = CHI3(b4, b0, b1);

// One round from the lanes a to the lanes e, lane x + 5y at that number: theta and
// rho give the five lanes that pi brings into a plane, then comes chi.
#define KECCAK(e, a, rc) \
	THETA(a) \
	b0 = a##0 ^ d0; b1 = R64(a##6 ^ d1, 44); b2 = R64(a##12 ^ d2, 43); b3 = R64(a##18 ^ d3, 21); b4 = R64(a##24 ^ d4, 14); \
	CHI(e##0, e##1, e##2, e##3, e##4) \
	e##0 ^= (rc); \
	b0 = R64(a##3 ^ d3, 28); b1 = R64(a##9 ^ d4, 20); b2 = R64(a##10 ^ d0, 3); b3 = R64(a##16 ^ d1, 45); b4 = R64(a##22 ^ d2, 61); \
	CHI(e##5, e##6, e##7, e##8, e##9) \
	b0 = R64(a##1 ^ d1, 1); b1 = R64(a##7 ^ d2, 6); b2 = R64(a##13 ^ d3, 25); b3 = R64(a##19 ^ d4, 8); b4 = R64(a##20 ^ d0, 18); \
	CHI(e##10, e##11, e##12, e##13, e##14) \
	b0 = R64(a##4 ^ d4, 27); b1 = R64(a##5 ^ d0, 36); b2 = R64(a##11 ^ d1, 10); b3 = R64(a##17 ^ d2, 15); b4 = R64(a##23 ^ d3, 56); \
	CHI(e##15, e##16, e##17, e##18, e##19) \
	b0 = R64(a##2 ^ d2, 62); b1 = R64(a##8 ^ d3, 55); b2 = R64(a##14 ^ d4, 39); b3 = R64(a##15 ^ d0, 41); b4 = R64(a##21 ^ d1, 2); \
	CHI(e##20, e##21, e##22, e##23, e##24)

// keccak returns the lane of keccak256 that decides: lane 3, whose bytes are the
// highest of a little-endian number, or lane 0, bytes turned around, of a big-endian
// one. The first round finds zeros almost everywhere, which the compiler folds; the
// last one needs three lanes.
INLINE U keccak(const U lane[4], int big)
{
	U a0 = lane[0], a1 = lane[1], a2 = lane[2], a3 = lane[3], a4 = CONSTANT(1, 0);
	U a5 = 0, a6 = 0, a7 = 0, a8 = 0, a9 = 0, a10 = 0, a11 = 0, a12 = 0, a13 = 0, a14 = 0, a15 = 0;
	U a16 = CONSTANT(0, 0x80000000u), a17 = 0, a18 = 0, a19 = 0, a20 = 0, a21 = 0, a22 = 0, a23 = 0, a24 = 0;
	U e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11, e12;
	U e13, e14, e15, e16, e17, e18, e19, e20, e21, e22, e23, e24;
	U b0, b1, b2, b3, b4, c0, c1, c2, c3, c4, d0, d1, d2, d3, d4;

	KECCAK(e, a, ROUND_CONSTANT(0))
	// Unrolled by two to need no moves, and no further: more would not fit a GPU's
	// instruction cache.
#pragma unroll 1
	for (int i = 1; i < 23; i += 2) {
		KECCAK(a, e, ROUND_CONSTANT(i))
		KECCAK(e, a, ROUND_CONSTANT(i + 1))
	}
	THETA(e)
	b0 = e0 ^ d0;
	if (big) {
		b1 = R64(e6 ^ d1, 44);
		b2 = R64(e12 ^ d2, 43);
		b0 = CHI3(b0, b1, b2) ^ ROUND_CONSTANT(23);
		return SWAP64(b0);
	}
	b3 = R64(e18 ^ d3, 21);
	b4 = R64(e24 ^ d4, 14);
	return CHI3(b3, b4, b0);
}

// ---- the search -----------------------------------------------------------------

// found[0] counts what qualified; up to ROOM low parts stand behind it.
INLINE void note(__global volatile uint *found, uint low)
{
	uint at = atomic_inc(found);
	if (at < ROOM)
		found[1 + at] = low;
}

INLINE void search(__constant uint *job, ulong limit, uint base, __global volatile uint *found, int big)
{
	const uint low = base + (uint)get_global_id(0) * WIDTH;
	U lane[4];
	sha256(job, ITEM(low), lane);
	const U top = keccak(lane, big);
#if WIDTH == 1
	if (as_ulong(top) <= limit)
		note(found, low);
#else
	if (any(top <= (U)(limit))) {
		ulong each[WIDTH];
		JOIN(vstore, WIDTH)(top, 0, each);
		for (uint i = 0; i < WIDTH; i++)
			if (each[i] <= limit)
				note(found, low + i);
	}
#endif
}

__kernel void search_little(__constant uint *job, ulong limit, uint base, __global volatile uint *found)
{
	search(job, limit, base, found, 0);
}

__kernel void search_big(__constant uint *job, ulong limit, uint base, __global volatile uint *found)
{
	search(job, limit, base, found, 1);
}
