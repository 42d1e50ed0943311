/* One node of a chain of three lwIP processes: "lwip_chain client|router|server NAME [COUNT]". Links are pairs of AF_UNIX datagram sockets whose abstract
 * names begin with NAME. lwIP runs as its package is built: its own thread, a receiving thread for each interface, and the socket API with core locking.
 * The client waits for a line, then prints the median round trip of COUNT UDP datagrams in us. */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/tcpip.h>
#include <lwip/udp.h>
#include <lwip/api.h>

enum { FRAME = 2048, PAYLOAD = 64, PORT = 7, WARM = 3000 };

struct link { int fd; struct sockaddr_un peer; socklen_t peerlen; struct netif netif; u8_t mac; };

static void fail(const char *what) { perror(what); exit(1); }

static socklen_t name_of(struct sockaddr_un *sun, const char *name, int bus, char end) {
	memset(sun, 0, sizeof *sun);
	sun->sun_family = AF_UNIX;
	int n = snprintf(sun->sun_path + 1, sizeof sun->sun_path - 1, "%s-%d%c", name, bus, end);
	return offsetof(struct sockaddr_un, sun_path) + 1 + n;
}

static err_t link_output(struct netif *netif, struct pbuf *p) {
	struct link *l = netif->state;
	char frame[FRAME];
	if (p->tot_len > sizeof frame) return ERR_BUF;
	u16_t n = pbuf_copy_partial(p, frame, p->tot_len, 0);
	sendto(l->fd, frame, n, MSG_DONTWAIT, (struct sockaddr *)&l->peer, l->peerlen);
	return ERR_OK;
}

static err_t link_init(struct netif *netif) {
	struct link *l = netif->state;
	netif->name[0] = 'u';
	netif->name[1] = 'x';
	netif->output = etharp_output;
	netif->linkoutput = link_output;
	netif->mtu = 1500;
	netif->hwaddr_len = 6;
	u8_t mac[6] = { 2, 0, 0, 0, 0, l->mac };
	memcpy(netif->hwaddr, mac, 6);
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP | NETIF_FLAG_ETHERNET;
	return ERR_OK;
}

static void *link_receive(void *arg) {
	struct link *l = arg;
	char frame[FRAME];
	for (;;) {
		ssize_t n = recv(l->fd, frame, sizeof frame, 0);
		if (n <= 0) continue;
		struct pbuf *p = pbuf_alloc(PBUF_RAW, n, PBUF_POOL);
		if (p == NULL) continue;
		pbuf_take(p, frame, n);
		if (l->netif.input(p, &l->netif) != ERR_OK) pbuf_free(p);
	}
	return NULL;
}

static void plug(struct link *l, const char *name, int bus, char end, int a, int b, int gw) {
	struct sockaddr_un sun;
	socklen_t len = name_of(&sun, name, bus, end);
	l->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (bind(l->fd, (struct sockaddr *)&sun, len) != 0) fail("bind");
	l->peerlen = name_of(&l->peer, name, bus, end == 'a' ? 'b' : 'a');
	l->mac = (u8_t)(bus * 16 + b);
	ip4_addr_t addr, mask, gate;
	IP4_ADDR(&addr, 10, a, 0, b);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	if (gw) IP4_ADDR(&gate, 10, a, 0, 1); else IP4_ADDR(&gate, 0, 0, 0, 0);
	LOCK_TCPIP_CORE();
	netif_add(&l->netif, &addr, &mask, &gate, l, link_init, tcpip_input);
	if (gw) netif_set_default(&l->netif);
	netif_set_up(&l->netif);
	UNLOCK_TCPIP_CORE();
	pthread_t t;
	pthread_create(&t, NULL, link_receive, l);
}

static double now_us(void) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static int cmp(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void *server(void *arg) {
	struct netconn *c = netconn_new(NETCONN_UDP);
	(void)arg;
	netconn_bind(c, IP_ADDR_ANY, PORT);
	for (;;) {
		struct netbuf *b;
		if (netconn_recv(c, &b) != ERR_OK) continue;
		ip_addr_t from = *netbuf_fromaddr(b);
		netconn_sendto(c, b, &from, netbuf_fromport(b));
		netbuf_delete(b);
	}
	return NULL;
}

static double round_trips(struct netconn *c, double *took, int count) {
	static char payload[PAYLOAD];
	for (int n = -WARM; n < count; n++) {
		double t = now_us();
		struct netbuf *out = netbuf_new(), *in;
		netbuf_ref(out, payload, sizeof payload);
		if (netconn_send(c, out) != ERR_OK) { fprintf(stderr, "send failed\n"); exit(1); }
		if (netconn_recv(c, &in) != ERR_OK) { fprintf(stderr, "no answer\n"); exit(1); }
		netbuf_delete(in);
		netbuf_delete(out);
		if (n >= 0) took[n] = now_us() - t;
	}
	qsort(took, count, sizeof *took, cmp);
	return took[count / 2];
}

int main(int argc, char **argv) {
	static struct link links[2];
	char line[80];
	if (argc < 3) return 2;
	tcpip_init(NULL, NULL);
	if (strcmp(argv[1], "router") == 0) {
		plug(&links[0], argv[2], 1, 'b', 1, 1, 0);
		plug(&links[1], argv[2], 2, 'b', 2, 1, 0);
	} else if (strcmp(argv[1], "server") == 0) {
		plug(&links[0], argv[2], 2, 'a', 2, 2, 1);
		pthread_t t;
		pthread_create(&t, NULL, server, NULL);
	} else plug(&links[0], argv[2], 1, 'a', 1, 2, 1);
	puts("ready");
	fflush(stdout);
	if (strcmp(argv[1], "client") != 0) {
		while (fgets(line, sizeof line, stdin)) {}
		return 0;
	}
	int count = argc > 3 ? atoi(argv[3]) : 1000;
	double *took = calloc(count, sizeof *took);
	struct netconn *c = netconn_new(NETCONN_UDP);
	ip_addr_t dst;
	IP_ADDR4(&dst, 10, 2, 0, 2);
	netconn_connect(c, &dst, PORT);
	while (fgets(line, sizeof line, stdin)) {
		printf("%.3f\n", round_trips(c, took, count));
		fflush(stdout);
	}
	return 0;
}
