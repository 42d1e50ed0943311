// The errno variable of local clients.

/** errno of whoever calls rump_sys_* in this process. */
export interface HyperErrno {
  /** Set it. Kept in NetBSD numbers. Cannot fail. Source: rumpuser_seterrno(3). */
  rumpuser_seterrno(error: number): void;
  /** Read it; 0 at first. rumpuser has no such call because C reads the variable itself. */
  rumpuser_geterrno(): number;
}
