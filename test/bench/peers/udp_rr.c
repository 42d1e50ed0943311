/* UDP over sockets of the host: "udp_rr echo ADDR PORT" answers; "udp_rr ping ADDR PORT COUNT" waits for a line, then prints the median round trip in us;
 * "udp_rr pps ADDR PORT WINDOW MS BYTES" keeps WINDOW datagrams under way and prints kpps; "udp_rr sink ADDR PORT" prints how many came at each line;
 * "udp_rr blast ADDR PORT MS BYTES" sends as fast as it can. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, MAXLEN = 2048, WARM = 3000 };

static double now_us(void) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static int cmp(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void fail(const char *what) { perror(what); exit(1); }
static void say(const char *text) { puts(text); fflush(stdout); }
static void wait_line(void) { char line[80]; if (!fgets(line, sizeof line, stdin)) exit(0); }

static struct mmsghdr msgs[BATCH];
static struct iovec iovs[BATCH];
static struct sockaddr_in names[BATCH];
static char bufs[BATCH][MAXLEN];

static void ready(int len, int named) {
	for (int i = 0; i < BATCH; i++) {
		iovs[i] = (struct iovec){ bufs[i], len };
		msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iovs[i], .msg_iovlen = 1, .msg_name = named ? &names[i] : NULL, .msg_namelen = named ? sizeof names[i] : 0 };
	}
}

static void echo(int s) {
	char buf[MAXLEN];
	struct sockaddr_in from;
	say("ready");
	for (;;) {
		struct pollfd fds[2] = { { s, POLLIN, 0 }, { 0, POLLIN, 0 } };
		poll(fds, 2, -1);
		if (fds[1].revents) return;
		for (;;) {
			socklen_t len = sizeof from;
			ssize_t n = recvfrom(s, buf, sizeof buf, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
			if (n < 0) break;
			sendto(s, buf, n, 0, (struct sockaddr *)&from, len);
		}
	}
}

static void ping(int s, int count) {
	char buf[MAXLEN] = { 0 };
	double *took = calloc(count, sizeof *took);
	say("ready");
	for (;;) {
		wait_line();
		for (int n = -WARM; n < count; n++) {
			double t = now_us();
			if (send(s, buf, 64, 0) != 64) fail("send");
			struct pollfd fd = { s, POLLIN, 0 };
			if (poll(&fd, 1, 5000) != 1) { fprintf(stderr, "no answer\n"); exit(1); }
			if (recv(s, buf, sizeof buf, 0) != 64) fail("recv");
			if (n >= 0) took[n] = now_us() - t;
		}
		qsort(took, count, sizeof *took, cmp);
		printf("%.3f\n", took[count / 2]);
		fflush(stdout);
	}
}

/* Datagrams carry a number, so that lost ones do not stay in the window: what comes back has passed everything that was sent before it. */
static void pps(int s, int window, double ms, int len) {
	ready(len, 0);
	double end = 0, start = 0, warm = now_us() + ms * 200;
	unsigned next = 0, acked = 0;
	long got = 0;
	for (;;) {
		double t = now_us();
		if (start == 0 && t > warm) { start = t; end = t + ms * 1000; got = 0; }
		if (start != 0 && t > end) break;
		while (next - acked < (unsigned)window) {
			int want = window - (int)(next - acked);
			if (want > BATCH) want = BATCH;
			for (int i = 0; i < want; i++) *(unsigned *)bufs[i] = next + i;
			for (int i = 0; i < want; i++) iovs[i].iov_len = len;
			int n = sendmmsg(s, msgs, want, MSG_DONTWAIT);
			if (n <= 0) break;
			next += n;
		}
		struct pollfd fd = { s, POLLIN, 0 };
		if (poll(&fd, 1, 5) == 0) { acked = next; continue; } /* all of them lost: begin again */
		for (int i = 0; i < BATCH; i++) iovs[i].iov_len = len;
		int n = recvmmsg(s, msgs, BATCH, MSG_DONTWAIT, NULL);
		if (n <= 0) continue;
		got += n;
		unsigned last = *(unsigned *)bufs[n - 1] + 1;
		if ((int)(last - acked) > 0) acked = last;
	}
	printf("%.3f\n", got / (now_us() - start) * 1000);
}

static void sink(int s) {
	long got = 0;
	ready(MAXLEN, 0);
	say("ready");
	for (;;) {
		struct pollfd fds[2] = { { s, POLLIN, 0 }, { 0, POLLIN, 0 } };
		poll(fds, 2, -1);
		if (fds[1].revents) { wait_line(); printf("%ld\n", got); fflush(stdout); continue; }
		int n = recvmmsg(s, msgs, BATCH, MSG_DONTWAIT, NULL);
		if (n > 0) got += n;
	}
}

static void blast(int s, double ms, int len) {
	ready(len, 0);
	double end = now_us() + ms * 1000;
	while (now_us() < end)
		if (sendmmsg(s, msgs, BATCH, 0) < 0 && errno != ENOBUFS && errno != EAGAIN) fail("sendmmsg");
	say("0");
}

int main(int argc, char **argv) {
	if (argc < 4) return 2;
	int s = socket(AF_INET, SOCK_DGRAM, 0), big = 4 << 20;
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[3])) };
	inet_pton(AF_INET, argv[2], &sin.sin_addr);
	setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
	int server = strcmp(argv[1], "echo") == 0 || strcmp(argv[1], "sink") == 0;
	if (server ? bind(s, (struct sockaddr *)&sin, sizeof sin) : connect(s, (struct sockaddr *)&sin, sizeof sin)) fail(argv[2]);
	if (strcmp(argv[1], "echo") == 0) echo(s);
	else if (strcmp(argv[1], "sink") == 0) sink(s);
	else if (strcmp(argv[1], "ping") == 0 && argc > 4) ping(s, atoi(argv[4]));
	else if (strcmp(argv[1], "pps") == 0 && argc > 6) pps(s, atoi(argv[4]), atof(argv[5]), atoi(argv[6]));
	else if (strcmp(argv[1], "blast") == 0 && argc > 5) blast(s, atof(argv[4]), atoi(argv[5]));
	else return 2;
	return 0;
}
