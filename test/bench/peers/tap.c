/* What a bare program does with taps: "tap echo TAP ADDR" answers ARP, ICMP echo and UDP for ADDR; "tap copy TAP TAP" copies frames between two.
 * Says "ready"; ends with its standard input. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BATCH = 64, FRAME = 65600 };

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 0x42 };
static uint8_t bufs[BATCH][FRAME];
static int lens[BATCH];
static uint32_t self;

static void fail(const char *what) { perror(what); exit(1); }

static int tap_open(const char *name) {
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (fd < 0) fail("/dev/net/tun");
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &ifr) != 0) fail(name);
	return fd;
}

static uint16_t sum(const uint8_t *p, int len) {
	uint32_t s = 0;
	for (int i = 0; i + 1 < len; i += 2) s += p[i] << 8 | p[i + 1];
	if (len & 1) s += p[len - 1] << 8;
	while (s >> 16) s = (s & 0xffff) + (s >> 16);
	return ~s & 0xffff;
}

static void put16(uint8_t *p, uint16_t v) { p[0] = v >> 8; p[1] = v; }

/* The answer to a frame in place; 0: none. */
static int answer(uint8_t *f, int len) {
	uint8_t addr[4];
	uint8_t *ip = f + 14;
	if (len < 42) return 0;
	if (f[12] == 8 && f[13] == 6) {
		if (f[21] != 1 || memcmp(f + 38, &self, 4) != 0) return 0;
		f[21] = 2;
		memcpy(f + 32, f + 22, 10);
		memcpy(f + 22, mac, 6);
		memcpy(f + 28, &self, 4);
		memcpy(f, f + 32, 6);
		memcpy(f + 6, mac, 6);
		return len;
	}
	if (f[12] != 8 || f[13] != 0 || ip[0] != 0x45 || memcmp(ip + 16, &self, 4) != 0 || sum(ip, 20) != 0) return 0;
	memcpy(f, f + 6, 6);
	memcpy(f + 6, mac, 6);
	memcpy(addr, ip + 12, 4);
	memcpy(ip + 12, ip + 16, 4);
	memcpy(ip + 16, addr, 4);
	if (ip[9] == 1 && ip[20] == 8) {
		int n = (ip[2] << 8 | ip[3]) - 20;
		if (n < 8 || sum(ip + 20, n) != 0) return 0;
		ip[20] = 0;
		put16(ip + 22, 0);
		put16(ip + 22, sum(ip + 20, n));
	} else if (ip[9] == 17) {
		uint8_t port[2];
		memcpy(port, ip + 20, 2);
		memcpy(ip + 20, ip + 22, 2);
		memcpy(ip + 22, port, 2);
	} else return 0;
	return len;
}

/* Reads from one tap until it is empty, and writes what is to be sent to another. */
static void move(int from, int to, int echo) {
	for (;;) {
		int n = 0;
		while (n < BATCH) {
			int len = read(from, bufs[n], FRAME);
			if (len <= 0) break;
			if (echo) len = answer(bufs[n], len);
			if (len > 0) lens[n++] = len;
		}
		for (int i = 0; i < n; i++)
			if (write(to, bufs[i], lens[i]) < 0 && errno != EIO && errno != EAGAIN && errno != ENOBUFS) fail("write");
		if (n < BATCH) return;
	}
}

int main(int argc, char **argv) {
	if (argc != 4) return 2;
	int echo = strcmp(argv[1], "echo") == 0;
	int a = tap_open(argv[2]), b = echo ? a : tap_open(argv[3]);
	if (echo) inet_pton(AF_INET, argv[3], &self);
	int ep = epoll_create1(0);
	int fds[3] = { a, b, 0 };
	for (int i = 0; i < 3; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.fd = fds[i] };
		if (!(echo && i == 1)) epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev);
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct epoll_event ev[3];
		int n = epoll_wait(ep, ev, 3, -1);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.fd == 0) return 0;
			move(ev[i].data.fd, ev[i].data.fd == a ? b : a, echo);
		}
	}
}
