#include "tools/columns.h"

#include <string.h>

void adit_columns_print(const struct adit_columns *columns, FILE *out)
{
    for (size_t i = 0; i < columns->n; i++)
        fprintf(out, "%s%*s", i ? " " : "", columns->columns[i].width, columns->columns[i].head);
    fputc('\n', out);
}

void adit_columns_tell(const struct adit_columns *columns, adit_column_tell *tell)
{
    for (size_t i = 0; i < columns->n; i++)
        tell(columns->table, columns->columns[i].head + strspn(columns->columns[i].head, " "), columns->columns[i].text);
}
