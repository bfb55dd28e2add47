package store

// Exec runs a statement as hands in the database would.
func (tx *Tx) Exec(statement string) error { return tx.conn.exec(tx.ctx, statement) }

// Pragma reads a setting of this connection.
func (tx *Tx) Pragma(name string) (value string, err error) {
	err = tx.conn.QueryRowContext(tx.ctx, "PRAGMA "+name).Scan(&value)
	return value, err
}

// OldSQLite says whether this build refuses a version of SQLite.
func OldSQLite(version string) bool { return olderThan(version, oldestSQLite) }

// Guards lists what a schema must have.
func Guards(e Engine) []string { return guards[e] }
