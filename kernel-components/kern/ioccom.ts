// The encoding of ioctl commands (sys/ioccom.h): direction, length of the argument, group and number in 32 bits.

/** Most bytes that an argument may have. */
export const IOCPARM_MASK = 0x1fff;
/** Where the length starts. */
export const IOCPARM_SHIFT = 16;
/** Where the group starts. */
export const IOCGROUP_SHIFT = 8;
/** Direction: no argument. */
export const IOC_VOID: number = 0x2000_0000;
/** Direction: the kernel writes it. */
export const IOC_OUT: number = 0x4000_0000;
/** Direction: the kernel reads it. */
export const IOC_IN: number = 0x8000_0000 | 0;
/** Direction: both. */
export const IOC_INOUT: number = IOC_IN | IOC_OUT;

/** A command, as an int32. `group` is one character. */
export function _IOC(inout: number, group: string, num: number, len: number): number {
  return inout | ((len & IOCPARM_MASK) << IOCPARM_SHIFT) | (group.charCodeAt(0) << IOCGROUP_SHIFT) | num;
}

/** A command without argument. */
export function _IO(group: string, num: number): number {
  return _IOC(IOC_VOID, group, num, 0);
}

/** A command whose argument of `len` bytes the kernel writes. */
export function _IOR(group: string, num: number, len: number): number {
  return _IOC(IOC_OUT, group, num, len);
}

/** A command whose argument of `len` bytes the kernel reads. */
export function _IOW(group: string, num: number, len: number): number {
  return _IOC(IOC_IN, group, num, len);
}

/** A command whose argument of `len` bytes the kernel reads and writes. */
export function _IOWR(group: string, num: number, len: number): number {
  return _IOC(IOC_INOUT, group, num, len);
}

/** Bytes of the argument of `cmd`. */
export function IOCPARM_LEN(cmd: number): number {
  return (cmd >> IOCPARM_SHIFT) & IOCPARM_MASK;
}

/** Group of `cmd` as a character code. */
export function IOCGROUP(cmd: number): number {
  return (cmd >> IOCGROUP_SHIFT) & 0xff;
}

/** Set close-on-exec. */
export const FIOCLEX: number = _IO("f", 1);
/** Clear close-on-exec. */
export const FIONCLEX: number = _IO("f", 2);
/** How many bytes can be read. */
export const FIONREAD: number = _IOR("f", 127, 4);
/** Set or clear non-blocking I/O. */
export const FIONBIO: number = _IOW("f", 126, 4);
/** Set or clear asynchronous I/O. */
export const FIOASYNC: number = _IOW("f", 125, 4);
/** Set the owner. */
export const FIOSETOWN: number = _IOW("f", 124, 4);
/** Get the owner. */
export const FIOGETOWN: number = _IOR("f", 123, 4);
/** How many bytes are in the send queue. */
export const FIONWRITE: number = _IOR("f", 121, 4);
/** How much space the send queue has. */
export const FIONSPACE: number = _IOR("f", 120, 4);
