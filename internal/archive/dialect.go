package archive

import (
	"strconv"
	"strings"
)

// dialect is all in which the SQL for the two databases differs.
type dialect struct {
	// types replaces the words in braces of the migrations.
	types *strings.Replacer
	// numbered means that parameters are written as $1, not as ?.
	numbered bool
	// contains is a condition: that the error contains a text, literally.
	contains string
	// indexed follows the name of a table and makes the planner use the index, the %.
	// SQLite knows little of the data, so Search chooses for it. PostgreSQL chooses by its
	// statistics.
	indexed string
	// byKey follows the name of a table that is to be read by its key.
	byKey string
	// forUpdate ends a SELECT whose rows the transaction will change. Transactions of
	// SQLite are alone from their beginning.
	forUpdate string
	// lock makes other processes wait that migrate the same database, until the end of the
	// transaction.
	lock string
}

func sqliteDialect() dialect {
	return dialect{
		types:    strings.NewReplacer("{key}", "INTEGER PRIMARY KEY", "{text}", "TEXT", "{bigint}", "INTEGER", "{norowid}", "WITHOUT ROWID"),
		contains: "instr(o.error, ?) > 0",
		indexed:  " INDEXED BY %",
		byKey:    " NOT INDEXED",
	}
}

func postgresDialect() dialect {
	return dialect{
		types: strings.NewReplacer(
			"{key}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "{text}", `TEXT COLLATE "C"`, "{bigint}", "BIGINT", "{norowid}", "",
		),
		numbered:  true,
		contains:  "strpos(o.error, ?) > 0",
		forUpdate: " FOR UPDATE",
		lock:      "SELECT pg_advisory_xact_lock(7020101001)", // any number that nobody else uses
	}
}

// sql writes the parameters of a statement, in which ? has no other meaning, as the
// database wants them.
func (d dialect) sql(statement string) string {
	if !d.numbered {
		return statement
	}
	var out strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(statement, "?")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteString("$" + strconv.Itoa(n))
		statement = after
	}
}

// clean makes a text one that both databases store: valid UTF-8 without NUL, which
// PostgreSQL refuses. The texts of orders are so already, but one that is not must not
// keep a whole batch out of the archive.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
