package expr

// Functions about the session. The analyser, which knows the session, puts the current database in the place of
// current_database; there is one catalog, and one user in a session without logins.
func init() {
	constant := func(name, doc, value string, aliases ...string) *Function {
		return &Function{Name: name, Aliases: aliases, Doc: doc, Example: name + "() -> " + value, rewrite: func([]Expr) (Expr, error) { return Lit(value), nil }}
	}
	register("misc",
		constant("current_catalog", "The name of the catalog.", "spark_catalog"),
		constant("current_database", "The database in use.", "default", "current_schema"),
		constant("current_user", "The user of the session.", "anonymous", "user", "session_user"),
	)
}
