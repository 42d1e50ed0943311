/* Small loops in C that the kernel's are compared with: micro NAME. Prints ns per operation. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HELD = 64, CLUSTER = 2304, PACKET = 1460, ROUTES = 100000 };

static double now_ns(void) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static volatile uint64_t sink;

/* malloc and free of buffers of a packet's size, HELD at a time */
static void do_malloc(long n) {
	void *held[HELD];
	for (long i = 0; i < n; i += HELD) {
		for (int j = 0; j < HELD; j++) {
			held[j] = malloc(CLUSTER);
			*(volatile char *)held[j] = 1;
		}
		for (int j = 0; j < HELD; j++)
			free(held[j]);
	}
}

/* getppid(2), a system call that does nothing */
static void do_getppid(long n) {
	for (long i = 0; i < n; i++)
		sink += syscall(SYS_getppid);
}

static uint8_t packet[2048] __attribute__((aligned(64)));

/* the Internet checksum of a packet, 32 bits at a time into 64 */
static void do_cksum(long n) {
	for (long i = 0; i < n; i++) {
		uint64_t sum = 0;
		const uint32_t *p = (const uint32_t *)packet;
		packet[0] = (uint8_t)i;
		for (int j = 0; j < PACKET / 4; j++)
			sum += p[j];
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		sink += sum;
	}
}

/* longest prefix match in a path-compressed binary trie */
struct node { uint32_t key, mask; int plen, item; struct node *child[2]; };
static struct node *root;
static uint32_t state = 12345;
static uint32_t rnd(void) { state = state * 1664525u + 1013904223u; return state ^ (state >> 16); }
static uint32_t maskof(int plen) { return plen == 0 ? 0 : ~0u << (32 - plen); }

static struct node *mknode(uint32_t key, int plen, int item) {
	struct node *n = calloc(1, sizeof *n);
	n->key = key; n->plen = plen; n->mask = maskof(plen); n->item = item;
	return n;
}

static int add(uint32_t key, int plen) {
	struct node **at = &root;
	while (*at) {
		struct node *n = *at;
		int max = plen < n->plen ? plen : n->plen;
		uint32_t x = key ^ n->key;
		int common = x ? __builtin_clz(x) : 32;
		if (common > max) common = max;
		if (common < n->plen) {
			struct node *leaf = mknode(key, plen, 1);
			if (common == plen) {
				leaf->child[(n->key >> (31 - plen)) & 1] = n;
				*at = leaf;
				return 1;
			}
			struct node *branch = mknode(key & maskof(common), common, 0);
			branch->child[(n->key >> (31 - common)) & 1] = n;
			branch->child[(key >> (31 - common)) & 1] = leaf;
			*at = branch;
			return 1;
		}
		if (plen == n->plen) {
			int fresh = !n->item;
			n->item = 1;
			return fresh;
		}
		at = &n->child[(key >> (31 - n->plen)) & 1];
	}
	*at = mknode(key, plen, 1);
	return 1;
}

static void do_lpm(long count) {
	if (!root)
		for (int made = 0; made < ROUTES;) {
			int plen = 8 + (rnd() & 0x7fff) % 21;
			made += add(rnd() & maskof(plen), plen);
		}
	for (long i = 0; i < count; i++) {
		uint32_t a = rnd();
		const struct node *best = NULL;
		for (const struct node *n = root; n && ((a ^ n->key) & n->mask) == 0; n = n->child[(a >> (31 - n->plen)) & 1]) {
			if (n->item) best = n;
			if (n->plen >= 32) break;
		}
		sink += best != NULL;
	}
}

/* a network namespace of Linux, made by a process that then ends */
static void do_netns(long n) {
	for (long i = 0; i < n; i++)
		if (unshare(CLONE_NEWNET) != 0) {
			perror("unshare");
			exit(1);
		}
}

/* Turns of a measurement; their median counts. */
enum { TURNS = 5 };

static int ascending(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv) {
	static const struct { const char *name; void (*run)(long); long n; } loops[] = {
		{ "malloc", do_malloc, 2000000 }, { "getppid", do_getppid, 1000000 }, { "cksum", do_cksum, 500000 },
		{ "lpm", do_lpm, 500000 }, { "netns", do_netns, 10 },
	};
	for (size_t i = 0; argc == 2 && i < sizeof loops / sizeof *loops; i++) {
		if (strcmp(loops[i].name, argv[1]) != 0)
			continue;
		double turns[TURNS];
		loops[i].run(loops[i].n / 10);
		for (int turn = 0; turn < TURNS; turn++) {
			double t = now_ns();
			loops[i].run(loops[i].n);
			turns[turn] = (now_ns() - t) / loops[i].n;
		}
		qsort(turns, TURNS, sizeof turns[0], ascending);
		printf("%.3f\n", turns[TURNS / 2]);
		return 0;
	}
	fprintf(stderr, "usage: micro malloc|getppid|cksum|lpm|netns\n");
	return 2;
}
