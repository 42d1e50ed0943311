/**
 * Numbers of the BSD socket interface, with NetBSD's values: address families, socket types, options, message flags,
 * control message types. What a program passes to a system call is one of these; `compat/abi` translates other systems'.
 * Source: NetBSD socket(2), getsockopt(2), recv(2), send(2), unix(4).
 */

/** Address families (`sa_family`); a protocol family PF_x has the same number. */
export const AF_UNSPEC = 0;
/** Local to the kernel: pipes and names of PF_LOCAL, unix(4). */
export const AF_LOCAL = 1;
/** The other name of {@link AF_LOCAL}. */
export const AF_UNIX: number = AF_LOCAL;
/** IPv4, inet(4). */
export const AF_INET = 2;
/** Link-layer addresses, `struct sockaddr_dl`. */
export const AF_LINK = 18;
/** IPv6, inet6(4). */
export const AF_INET6 = 24;
/** Address resolution (ioctl and sysctl names only). */
export const AF_ARP = 28;
/** Routing messages, route(4), in the layout since NetBSD 6. */
export const AF_ROUTE = 34;
/** One more than the largest address family. */
export const AF_MAX = 36;

/** Protocol families, the first argument of socket(2). */
export const PF_UNSPEC: number = AF_UNSPEC;
/** See {@link AF_LOCAL}. */
export const PF_LOCAL: number = AF_LOCAL;
/** See {@link AF_LOCAL}. */
export const PF_UNIX: number = AF_LOCAL;
/** See {@link AF_INET}. */
export const PF_INET: number = AF_INET;
/** See {@link AF_INET6}. */
export const PF_INET6: number = AF_INET6;
/** See {@link AF_ROUTE}. */
export const PF_ROUTE: number = AF_ROUTE;

/** Byte stream. */
export const SOCK_STREAM = 1;
/** Datagrams. */
export const SOCK_DGRAM = 2;
/** Raw access to a protocol. */
export const SOCK_RAW = 3;
/** Reliably delivered messages; no protocol of ours has it. */
export const SOCK_RDM = 4;
/** Sequenced records over a connection. */
export const SOCK_SEQPACKET = 5;
/** Flag of the type argument: the new descriptor is closed by exec. */
export const SOCK_CLOEXEC = 0x1000_0000;
/** Flag of the type argument: the new descriptor does not block. */
export const SOCK_NONBLOCK = 0x2000_0000;
/** Flag of the type argument: EPIPE without a signal. */
export const SOCK_NOSIGPIPE = 0x4000_0000;
/** All flag bits of the type argument. */
export const SOCK_FLAGS_MASK: number = 0xf000_0000 | 0;

/** Level of getsockopt(2)/setsockopt(2) that addresses the socket itself; also the level of SCM_* control messages. */
export const SOL_SOCKET = 0xffff;
/** Level of the LOCAL_* options of unix(4). */
export const SOL_LOCAL = 0;

/** Record debugging information. */
export const SO_DEBUG = 0x0001;
/** listen(2) was called (get only). */
export const SO_ACCEPTCONN = 0x0002;
/** Allow reuse of a local address. */
export const SO_REUSEADDR = 0x0004;
/** Probe idle connections. */
export const SO_KEEPALIVE = 0x0008;
/** Send to directly attached networks only. */
export const SO_DONTROUTE = 0x0010;
/** Allow sending broadcasts. */
export const SO_BROADCAST = 0x0020;
/** A routing socket receives copies of its own messages. */
export const SO_USELOOPBACK = 0x0040;
/** Linger on close while data is unsent; `struct linger`. */
export const SO_LINGER = 0x0080;
/** Leave received out-of-band data in the stream. */
export const SO_OOBINLINE = 0x0100;
/** Allow several sockets to bind one address and port. */
export const SO_REUSEPORT = 0x0200;
/** EPIPE is returned without a signal. */
export const SO_NOSIGPIPE = 0x0800;
/** Accept filter; there is none, so setting one is refused. */
export const SO_ACCEPTFILTER = 0x1000;
/** Datagrams carry an SCM_TIMESTAMP control message. */
export const SO_TIMESTAMP = 0x2000;
/** Report the overflow of the receive buffer as ENOBUFS. */
export const SO_RERROR = 0x4000;

/** Size of the send buffer (high water mark), int. */
export const SO_SNDBUF = 0x1001;
/** Size of the receive buffer (high water mark), int. */
export const SO_RCVBUF = 0x1002;
/** Send low water mark, int. */
export const SO_SNDLOWAT = 0x1003;
/** Receive low water mark, int. */
export const SO_RCVLOWAT = 0x1004;
/** Pending error, cleared by reading it, int. */
export const SO_ERROR = 0x1007;
/** Socket type, int (get only). */
export const SO_TYPE = 0x1008;
/** Datagrams dropped because the receive buffer was full, int (get only). */
export const SO_OVERFLOWED = 0x1009;
/** Raw sockets: the kernel takes the header off; left to the protocol. */
export const SO_NOHEADER = 0x100a;
/** Time limit of a blocked send, `struct timeval`; 0 = none. */
export const SO_SNDTIMEO = 0x100b;
/** Time limit of a blocked receive, `struct timeval`; 0 = none. */
export const SO_RCVTIMEO = 0x100c;

/** Out-of-band data. */
export const MSG_OOB = 0x0001;
/** Look at the data and leave it. */
export const MSG_PEEK = 0x0002;
/** Do not use the routing table. */
export const MSG_DONTROUTE = 0x0004;
/** The data completes a record. */
export const MSG_EOR = 0x0008;
/** Out: the rest of the record was discarded. */
export const MSG_TRUNC = 0x0010;
/** Out: control data was discarded. */
export const MSG_CTRUNC = 0x0020;
/** Wait for the whole request, or an error. */
export const MSG_WAITALL = 0x0040;
/** Do not block in this call. */
export const MSG_DONTWAIT = 0x0080;
/** Out: came as a link-level broadcast. */
export const MSG_BCAST = 0x0100;
/** Out: came as a link-level multicast. */
export const MSG_MCAST = 0x0200;
/** EPIPE without a signal. */
export const MSG_NOSIGNAL = 0x0400;
/** Descriptors that arrive by SCM_RIGHTS are closed by exec. */
export const MSG_CMSG_CLOEXEC = 0x0800;
/** The file descriptor is in non-blocking mode. */
export const MSG_NBIO = 0x1000;

/** No further receives. */
export const SHUT_RD = 0;
/** No further sends. */
export const SHUT_WR = 1;
/** Neither. */
export const SHUT_RDWR = 2;

/** Control message: descriptors (array of int). */
export const SCM_RIGHTS = 0x01;
/** Control message: time of arrival, `struct timeval`. */
export const SCM_TIMESTAMP = 0x08;
/** Control message: credentials of the sender, `struct sockcred`. */
export const SCM_CREDS = 0x10;

/** unix(4): receive the sender's credentials with each message. */
export const LOCAL_CREDS = 0x0004;
/** unix(4): connect(2) waits for accept(2). */
export const LOCAL_CONNWAIT = 0x0002;
/** unix(4): credentials of the peer at connect time, `struct unpcbid`. */
export const LOCAL_PEEREID = 0x0003;

/** Default of kern.somaxconn: the largest backlog of listen(2). */
export const SOMAXCONN = 128;
/** Largest sockaddr a system call takes (sa_len is one byte). */
export const SOCK_MAXADDRLEN = 255;
/** Largest control buffer of one message. */
export const MCONTROLMAX = 2048;
