/* Datagrams from one process to another over an AF_UNIX socket pair, 64 in a system call: unix_pps BYTES MS. Prints Mpps received. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, MAXLEN = 2048 };

static double now_us(void) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
	static char bufs[BATCH][MAXLEN];
	static struct iovec iovs[BATCH];
	static struct mmsghdr msgs[BATCH];
	int sv[2], size = 4 << 20;
	if (argc != 3 || socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) != 0) return 2;
	int len = atoi(argv[1]);
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	pid_t child = fork();
	cpu_set_t cpu;
	CPU_ZERO(&cpu);
	CPU_SET(child == 0 ? 0 : 1, &cpu);
	sched_setaffinity(0, sizeof cpu, &cpu);
	for (int i = 0; i < BATCH; i++) {
		iovs[i] = (struct iovec){ bufs[i], child == 0 ? len : MAXLEN };
		msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iovs[i], .msg_iovlen = 1 };
	}
	if (child == 0)
		for (;;)
			if (sendmmsg(sv[0], msgs, BATCH, 0) < 0) _exit(0);
	double start = now_us(), end = start + atof(argv[2]) * 1000;
	long got = 0;
	while (now_us() < end) {
		int n = recvmmsg(sv[1], msgs, BATCH, 0, NULL);
		if (n > 0) got += n;
	}
	printf("%.3f\n", got / (now_us() - start));
	fflush(stdout);
	kill(child, SIGKILL);
	return 0;
}
