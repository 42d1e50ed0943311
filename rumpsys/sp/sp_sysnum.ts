/** System call numbers as they travel (NetBSD's, sys/syscall.h). */

/** read(2). */
export const SYS_read = 3;
/** write(2). */
export const SYS_write = 4;
/** open(2). */
export const SYS_open = 5;
/** close(2). */
export const SYS_close = 6;
/** getpid(2). */
export const SYS_getpid = 20;
/** geteuid(2). */
export const SYS_geteuid = 25;
/** recvmsg(2). */
export const SYS_recvmsg = 27;
/** sendmsg(2). */
export const SYS_sendmsg = 28;
/** recvfrom(2). */
export const SYS_recvfrom = 29;
/** getpeername(2). */
export const SYS_getpeername = 31;
/** getsockname(2). */
export const SYS_getsockname = 32;
/** dup(2). */
export const SYS_dup = 41;
/** getegid(2). */
export const SYS_getegid = 43;
/** ioctl(2). */
export const SYS_ioctl = 54;
/** dup2(2). */
export const SYS_dup2 = 90;
/** fcntl(2). */
export const SYS_fcntl = 92;
/** connect(2). */
export const SYS_connect = 98;
/** bind(2). */
export const SYS_bind = 104;
/** setsockopt(2). */
export const SYS_setsockopt = 105;
/** listen(2). */
export const SYS_listen = 106;
/** getsockopt(2). */
export const SYS_getsockopt = 118;
/** sendto(2). */
export const SYS_sendto = 133;
/** shutdown(2). */
export const SYS_shutdown = 134;
/** socketpair(2). */
export const SYS_socketpair = 135;
/** sysctl(2). */
export const SYS_sysctl = 202;
/** reboot(2): RB_HALT and RB_POWERDOWN end the kernel. */
export const SYS_reboot = 208;
/** poll(2). */
export const SYS_poll = 209;
/** socket(2). */
export const SYS_socket = 394;
/** fstat(2). */
export const SYS_fstat = 440;
/** dup3(2). */
export const SYS_dup3 = 454;
/** paccept(2); accept(2) is the same without flags. */
export const SYS_paccept = 456;

/** reboot: halt. */
export const RB_HALT = 0x8;
