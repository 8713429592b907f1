-- Whether an error of PostgreSQL is the fault of a value of so many bytes that was to be written: it cannot be stored.
-- That the server has no memory is the fault of a large value only; that a function is gone which a migration has just
-- replaced ("cache lookup failed", XX000) is the fault of none.
create or replace function weir.is_fault_of_value(p_sqlstate text, p_message text, p_bytes bigint) returns boolean
language sql immutable
return p_sqlstate ~ '^(22|54)'
       or (p_sqlstate in ('53200', 'XX000') and p_bytes >= 16 * 1024 * 1024
           and p_message not like 'cache lookup failed%');
comment on function weir.is_fault_of_value is 'whether an error says that a value cannot be stored';
