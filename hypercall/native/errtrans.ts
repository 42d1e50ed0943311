// Host errno to NetBSD errno, done once, where a host call returns. Sources: Linux's include/uapi/asm-generic/errno*.h and NetBSD's
// sys/sys/errno.h. 1 to 34 are the same on both but for 11, which is EAGAIN here and EDEADLK there.

const FIRST_UNSHARED = 35;
const TABLE_SIZE = 134;
/** What a host errno without any NetBSD relative becomes, as in rump's own host library. */
const NETBSD_EINVAL = 22;

/** [Linux, NetBSD] pairs; the trailing names are the Linux ones. */
const PAIRS: readonly (readonly [number, number])[] = [
  [11, 35], // EAGAIN
  [35, 11], // EDEADLK
  [36, 63], // ENAMETOOLONG
  [37, 77], // ENOLCK
  [38, 78], // ENOSYS
  [39, 66], // ENOTEMPTY
  [40, 62], // ELOOP
  [42, 83], // ENOMSG
  [43, 82], // EIDRM
  [60, 91], // ENOSTR
  [61, 89], // ENODATA
  [62, 92], // ETIME
  [63, 90], // ENOSR
  [64, 50], // ENONET: ENETDOWN
  [66, 71], // EREMOTE
  [67, 95], // ENOLINK
  [70, 5], // ECOMM: EIO
  [71, 96], // EPROTO
  [72, 94], // EMULTIHOP
  [74, 88], // EBADMSG
  [75, 84], // EOVERFLOW
  [77, 9], // EBADFD: EBADF
  [84, 85], // EILSEQ
  [85, 4], // ERESTART: EINTR
  [86, 32], // ESTRPIPE: EPIPE
  [87, 68], // EUSERS
  [88, 38], // ENOTSOCK
  [89, 39], // EDESTADDRREQ
  [90, 40], // EMSGSIZE
  [91, 41], // EPROTOTYPE
  [92, 42], // ENOPROTOOPT
  [93, 43], // EPROTONOSUPPORT
  [94, 44], // ESOCKTNOSUPPORT
  [95, 45], // EOPNOTSUPP
  [96, 46], // EPFNOSUPPORT
  [97, 47], // EAFNOSUPPORT
  [98, 48], // EADDRINUSE
  [99, 49], // EADDRNOTAVAIL
  [100, 50], // ENETDOWN
  [101, 51], // ENETUNREACH
  [102, 52], // ENETRESET
  [103, 53], // ECONNABORTED
  [104, 54], // ECONNRESET
  [105, 55], // ENOBUFS
  [106, 56], // EISCONN
  [107, 57], // ENOTCONN
  [108, 58], // ESHUTDOWN
  [109, 59], // ETOOMANYREFS
  [110, 60], // ETIMEDOUT
  [111, 61], // ECONNREFUSED
  [112, 64], // EHOSTDOWN
  [113, 65], // EHOSTUNREACH
  [114, 37], // EALREADY
  [115, 36], // EINPROGRESS
  [116, 70], // ESTALE
  [117, 5], // EUCLEAN: EIO
  [121, 5], // EREMOTEIO: EIO
  [122, 69], // EDQUOT
  [123, 19], // ENOMEDIUM: ENODEV
  [124, 79], // EMEDIUMTYPE: EFTYPE
  [125, 87], // ECANCELED
  [126, 80], // ENOKEY: EAUTH
  [127, 80], // EKEYEXPIRED: EAUTH
  [128, 80], // EKEYREVOKED: EAUTH
  [129, 80], // EKEYREJECTED: EAUTH
  [130, 97], // EOWNERDEAD
  [131, 98], // ENOTRECOVERABLE
  [132, 50], // ERFKILL: ENETDOWN
  [133, 5], // EHWPOISON: EIO
];

const TABLE: Uint8Array = makeTable();

function makeTable(): Uint8Array {
  const table = new Uint8Array(TABLE_SIZE).fill(NETBSD_EINVAL);
  for (let e = 0; e < FIRST_UNSHARED; e++) table[e] = e;
  for (const [host, netbsd] of PAIRS) table[host] = netbsd;
  return table;
}

/**
 * The NetBSD errno for a Linux one. Accepts the addon's negative form as well; 0 stays 0. A host error with no NetBSD relative
 * becomes EINVAL.
 */
export function errtrans(host: number): number {
  const e = host < 0 ? -host : host;
  return TABLE[e] ?? NETBSD_EINVAL;
}
