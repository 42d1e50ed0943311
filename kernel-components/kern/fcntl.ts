// Flags of open(2) and commands of fcntl(2), with NetBSD's numbers.

/** Open for reading only. */
export const O_RDONLY = 0x0000;
/** Open for writing only. */
export const O_WRONLY = 0x0001;
/** Open for both. */
export const O_RDWR = 0x0002;
/** The bits that hold the access mode. */
export const O_ACCMODE = 0x0003;
/** Do not block. */
export const O_NONBLOCK = 0x0004;
/** Append. */
export const O_APPEND = 0x0008;
/** Signal when I/O is possible. */
export const O_ASYNC = 0x0040;
/** Create. */
export const O_CREAT = 0x0200;
/** Truncate. */
export const O_TRUNC = 0x0400;
/** Fail if it exists. */
export const O_EXCL = 0x0800;
/** Close when a program is executed. */
export const O_CLOEXEC = 0x0040_0000;
/** Do not raise SIGPIPE. */
export const O_NOSIGPIPE = 0x0100_0000;

/** f_flag: reading is allowed. */
export const FREAD = 0x0001;
/** f_flag: writing is allowed. */
export const FWRITE = 0x0002;
/** f_flag: do not block. */
export const FNONBLOCK: number = O_NONBLOCK;
/** f_flag: append. */
export const FAPPEND: number = O_APPEND;
/** f_flag: asynchronous I/O. */
export const FASYNC: number = O_ASYNC;
/** f_flag: writing to a broken connection does not raise SIGPIPE. */
export const FNOSIGPIPE: number = O_NOSIGPIPE;
/** Flags that F_SETFL may change. */
export const FCNTLFLAGS: number = FAPPEND | FASYNC | FNONBLOCK | FNOSIGPIPE;

/** The file flags of open flags. */
export function FFLAGS(oflags: number): number {
  return oflags + 1;
}

/** The open flags of file flags. */
export function OFLAGS(fflags: number): number {
  return fflags - 1;
}

/** Duplicate to the lowest free descriptor not below the argument. */
export const F_DUPFD = 0;
/** Get descriptor flags. */
export const F_GETFD = 1;
/** Set descriptor flags. */
export const F_SETFD = 2;
/** Get file flags. */
export const F_GETFL = 3;
/** Set file flags. */
export const F_SETFL = 4;
/** Get the owner of signals. */
export const F_GETOWN = 5;
/** Set the owner of signals. */
export const F_SETOWN = 6;
/** Close all descriptors from the given one. */
export const F_CLOSEM = 10;
/** The highest descriptor in use. */
export const F_MAXFD = 11;
/** As F_DUPFD with close-on-exec. */
export const F_DUPFD_CLOEXEC = 12;
/** Whether SIGPIPE is suppressed. */
export const F_GETNOSIGPIPE = 13;
/** Suppress SIGPIPE. */
export const F_SETNOSIGPIPE = 14;

/** Descriptor flag: close when a program is executed. */
export const FD_CLOEXEC = 1;
