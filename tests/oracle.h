/* oracle.h - the conformance oracle of ../shared/oracle, built for a test when it is there. */
#ifndef ADIT_TESTS_ORACLE_H
#define ADIT_TESTS_ORACLE_H

/* Makes build/oracle, for files of the test, and builds the program in it, for this process. An assertion fails where that fails. */
void oracle_open(void);
void oracle_close(void);

/* The program's path, or NULL when there is no oracle. */
const char *oracle_program(void);

/* Runs command; the first n-1 bytes of its first line of output are in line. Returns its exit status. */
int oracle_run(const char *command, char *line, int n);

#endif
