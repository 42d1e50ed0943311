// Numbers of the sysctl tree (sys/sysctl.h).

/** Most parts of a MIB. */
export const CTL_MAXNAME = 12;
/** Numbers from here on are given to nodes that have no fixed one. */
export const CTL_CREATE_BASE = 1024;
/** Most bytes of a node's name with its NUL. */
export const SYSCTL_NAMELEN = 32;
/** Version of struct sysctlnode, in its flags. */
export const SYSCTL_VERSION: number = 0x0100_0000;
/** Flag of struct sysctlnode: may be written by the superuser. */
export const CTLFLAG_READWRITE = 0x70;
/** Last number of a MIB: list the nodes below. */
export const CTL_QUERY: number = -2;
/** Last number of a MIB: describe the nodes below. */
export const CTL_DESCRIBE: number = -7;
/** A node. */
export const CTLTYPE_NODE = 1;
/** An int of 4 bytes. */
export const CTLTYPE_INT = 2;
/** A string. */
export const CTLTYPE_STRING = 3;
/** A number of 8 bytes. */
export const CTLTYPE_QUAD = 4;
/** A structure. */
export const CTLTYPE_STRUCT = 5;
/** A byte, 0 or 1. */
export const CTLTYPE_BOOL = 6;

/** kern: the kernel. */
export const CTL_KERN = 1;
/** vm: memory. */
export const CTL_VM = 2;
/** vfs: file systems. */
export const CTL_VFS = 3;
/** net: network; the next number is the protocol family. */
export const CTL_NET = 4;
/** debug. */
export const CTL_DEBUG = 5;
/** hw: hardware. */
export const CTL_HW = 6;
/** machdep: of the machine. */
export const CTL_MACHDEP = 7;
/** user: of the system library. */
export const CTL_USER = 8;
/** ddb: of the debugger. */
export const CTL_DDB = 9;
/** proc: of processes. */
export const CTL_PROC = 10;
/** vendor. */
export const CTL_VENDOR = 11;
/** emul. */
export const CTL_EMUL = 12;
/** security. */
export const CTL_SECURITY = 13;

/** kern.ostype. */
export const KERN_OSTYPE = 1;
/** kern.osrelease. */
export const KERN_OSRELEASE = 2;
/** kern.osrevision. */
export const KERN_OSREV = 3;
/** kern.version. */
export const KERN_VERSION = 4;
/** kern.maxproc. */
export const KERN_MAXPROC = 6;
/** kern.maxfiles. */
export const KERN_MAXFILES = 7;
/** kern.hostname. */
export const KERN_HOSTNAME = 10;
/** kern.hostid. */
export const KERN_HOSTID = 11;
/** kern.clockrate. */
export const KERN_CLOCKRATE = 12;
/** kern.domainname. */
export const KERN_DOMAINNAME = 22;
/** kern.iov_max. */
export const KERN_IOV_MAX = 38;
/** kern.mbuf. */
export const KERN_MBUF = 39;
/** kern.msgbuf. */
export const KERN_MSGBUF = 53;
/** kern.msgbufsize. */
export const KERN_MSGBUFSIZE = 31;
/** kern.sbmax. */
export const KERN_SBMAX = 58;
/** kern.monotonic_clock. */
export const KERN_MONOTONIC_CLOCK = 60;
/** kern.urandom. */
export const KERN_URND = 37;
/** kern.arandom. */
export const KERN_ARND = 81;
/** kern.boottime. */
export const KERN_BOOTTIME = 83;
/** kern.evcnt. */
export const KERN_EVCNT = 84;

/** kern.mbuf.msize. */
export const MBUF_MSIZE = 1;
/** kern.mbuf.mclbytes. */
export const MBUF_MCLBYTES = 2;
/** kern.mbuf.nmbclusters. */
export const MBUF_NMBCLUSTERS = 3;
/** kern.mbuf.mblowat. */
export const MBUF_MBLOWAT = 4;
/** kern.mbuf.mcllowat. */
export const MBUF_MCLLOWAT = 5;
/** kern.mbuf.stats. */
export const MBUF_STATS = 6;
/** kern.mbuf.mowners. */
export const MBUF_MOWNERS = 7;
/** kern.mbuf.nmbclusters_limit. */
export const MBUF_NMBCLUSTERS_LIMIT = 8;

/** hw.machine. */
export const HW_MACHINE = 1;
/** hw.model. */
export const HW_MODEL = 2;
/** hw.ncpu. */
export const HW_NCPU = 3;
/** hw.byteorder. */
export const HW_BYTEORDER = 4;
/** hw.physmem. */
export const HW_PHYSMEM = 5;
/** hw.pagesize. */
export const HW_PAGESIZE = 7;
/** hw.machine_arch. */
export const HW_MACHINE_ARCH = 10;
/** hw.physmem64. */
export const HW_PHYSMEM64 = 13;
/** hw.ncpuonline. */
export const HW_NCPUONLINE = 16;
