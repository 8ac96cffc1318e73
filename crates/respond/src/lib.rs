//! Limits harm: mail is defused and sealed, block lists and plans are drawn up. Plain functions: nothing here opens a
//! socket or changes a mailbox; the binary does, once somebody approved it.
