/*
 * run_lock.h
 *		Locks that need a right: one run of a job at a time.
 */
#ifndef CAPFORECAST_RUN_LOCK_H
#define CAPFORECAST_RUN_LOCK_H

/* Waits until no other transaction has the lock of this name; held until the transaction ends. */
extern void run_lock(const char *name);

/* The same without waiting; false: another transaction has it. */
extern bool run_lock_if_free(const char *name);

#endif							/* CAPFORECAST_RUN_LOCK_H */
