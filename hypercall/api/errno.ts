// Error numbers: NetBSD's (sys/sys/errno.h), the only ones inside the kernel and on its system call boundary. Names and texts: errno_names.ts.

/** Operation not permitted. */
export const EPERM = 1;
/** No such file or directory. */
export const ENOENT = 2;
/** No such process or route. */
export const ESRCH = 3;
/** Interrupted. */
export const EINTR = 4;
/** Input or output failed. */
export const EIO = 5;
/** Device is not configured. */
export const ENXIO = 6;
/** Argument list is too long. */
export const E2BIG = 7;
/** Wrong format for execution. */
export const ENOEXEC = 8;
/** Not an open descriptor, or not open for this. */
export const EBADF = 9;
/** No child process. */
export const ECHILD = 10;
/** Would wait for ever. */
export const EDEADLK = 11;
/** No memory left. */
export const ENOMEM = 12;
/** Access denied. */
export const EACCES = 13;
/** Bad address. */
export const EFAULT = 14;
/** A block device is needed. */
export const ENOTBLK = 15;
/** In use. */
export const EBUSY = 16;
/** Already exists. */
export const EEXIST = 17;
/** The two are on different systems. */
export const EXDEV = 18;
/** Device cannot do this. */
export const ENODEV = 19;
/** Not a directory. */
export const ENOTDIR = 20;
/** Is a directory. */
export const EISDIR = 21;
/** Invalid argument. */
export const EINVAL = 22;
/** System has too many open files. */
export const ENFILE = 23;
/** Process has too many open files. */
export const EMFILE = 24;
/** Request does not fit this device. */
export const ENOTTY = 25;
/** Text file is in use. */
export const ETXTBSY = 26;
/** File is too large. */
export const EFBIG = 27;
/** No space left. */
export const ENOSPC = 28;
/** No position in a stream. */
export const ESPIPE = 29;
/** File system is read-only. */
export const EROFS = 30;
/** Too many links. */
export const EMLINK = 31;
/** Nobody reads the other end. */
export const EPIPE = 32;
/** Argument is outside the domain. */
export const EDOM = 33;
/** Result does not fit. */
export const ERANGE = 34;
/** Nothing now, try again. */
export const EAGAIN = 35;
/** Would block: the same number as EAGAIN. */
export const EWOULDBLOCK = 35;
/** Started and under way. */
export const EINPROGRESS = 36;
/** Already under way. */
export const EALREADY = 37;
/** Not a socket. */
export const ENOTSOCK = 38;
/** A destination address is needed. */
export const EDESTADDRREQ = 39;
/** Message is too long. */
export const EMSGSIZE = 40;
/** Protocol does not fit the socket type. */
export const EPROTOTYPE = 41;
/** No such option of this protocol. */
export const ENOPROTOOPT = 42;
/** Protocol is not supported. */
export const EPROTONOSUPPORT = 43;
/** Socket type is not supported. */
export const ESOCKTNOSUPPORT = 44;
/** Operation is not supported here. */
export const EOPNOTSUPP = 45;
/** Protocol family is not supported. */
export const EPFNOSUPPORT = 46;
/** Address family does not fit. */
export const EAFNOSUPPORT = 47;
/** Address is in use. */
export const EADDRINUSE = 48;
/** Address does not belong to this host. */
export const EADDRNOTAVAIL = 49;
/** Network is down. */
export const ENETDOWN = 50;
/** No route to the network. */
export const ENETUNREACH = 51;
/** Network dropped the connection on reset. */
export const ENETRESET = 52;
/** Connection was aborted here. */
export const ECONNABORTED = 53;
/** Connection was reset by the peer. */
export const ECONNRESET = 54;
/** No buffer space left. */
export const ENOBUFS = 55;
/** Already connected. */
export const EISCONN = 56;
/** Not connected. */
export const ENOTCONN = 57;
/** Sending after shutdown. */
export const ESHUTDOWN = 58;
/** Too many references. */
export const ETOOMANYREFS = 59;
/** Timed out. */
export const ETIMEDOUT = 60;
/** Connection refused. */
export const ECONNREFUSED = 61;
/** Too many levels of links. */
export const ELOOP = 62;
/** Name is too long. */
export const ENAMETOOLONG = 63;
/** Host is down. */
export const EHOSTDOWN = 64;
/** No route to the host. */
export const EHOSTUNREACH = 65;
/** Directory is not empty. */
export const ENOTEMPTY = 66;
/** Too many processes. */
export const EPROCLIM = 67;
/** Too many users. */
export const EUSERS = 68;
/** Quota is used up. */
export const EDQUOT = 69;
/** File handle is stale. */
export const ESTALE = 70;
/** Too many levels of remote. */
export const EREMOTE = 71;
/** Remote call is malformed. */
export const EBADRPC = 72;
/** Remote call version is wrong. */
export const ERPCMISMATCH = 73;
/** Remote program is not available. */
export const EPROGUNAVAIL = 74;
/** Program version is wrong. */
export const EPROGMISMATCH = 75;
/** Remote procedure is not available. */
export const EPROCUNAVAIL = 76;
/** No locks left. */
export const ENOLCK = 77;
/** No such system call. */
export const ENOSYS = 78;
/** Wrong type or format of file. */
export const EFTYPE = 79;
/** Authentication failed. */
export const EAUTH = 80;
/** Authentication is needed. */
export const ENEEDAUTH = 81;
/** Identifier was removed. */
export const EIDRM = 82;
/** No message of that type. */
export const ENOMSG = 83;
/** Value is too large for its type. */
export const EOVERFLOW = 84;
/** Illegal byte sequence. */
export const EILSEQ = 85;
/** Not supported. */
export const ENOTSUP = 86;
/** Cancelled. */
export const ECANCELED = 87;
/** Message is damaged. */
export const EBADMSG = 88;
/** No message is waiting. */
export const ENODATA = 89;
/** No stream resources left. */
export const ENOSR = 90;
/** Not a stream. */
export const ENOSTR = 91;
/** Stream timer ran out. */
export const ETIME = 92;
/** No such attribute. */
export const ENOATTR = 93;
/** Multihop was attempted. */
export const EMULTIHOP = 94;
/** Link was cut. */
export const ENOLINK = 95;
/** Protocol error. */
export const EPROTO = 96;
/** Previous owner died. */
export const EOWNERDEAD = 97;
/** State cannot be recovered. */
export const ENOTRECOVERABLE = 98;
/** The largest error number. */
export const ELAST = 98;

/** Inside the kernel only: the call has arranged its own return. */
export const EJUSTRETURN: number = -2;
/** Inside the kernel only: the interrupted call begins again. */
export const ERESTART: number = -3;
/** Inside the kernel only: this layer does not know the ioctl, ask the next one. */
export const EPASSTHROUGH: number = -4;
/** Inside the kernel only: the device's open has made a file; duplicate it. */
export const EDUPFD: number = -5;
/** Inside the kernel only: the device's open has made a file; move it. */
export const EMOVEFD: number = -6;
