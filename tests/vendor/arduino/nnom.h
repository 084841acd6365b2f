// The empty file of docs/porting.md.
