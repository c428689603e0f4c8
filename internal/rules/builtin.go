package rules

import (
	"fmt"
	"strings"

	"orderprocessor/internal/order"
)

// builtinText is the rule set of the three settings.
const builtinText = `# The rules of an installation that has no others, from its settings
# ORDERS_MAX_AMOUNT, ORDERS_MAX_ITEMS and ORDERS_HIGH_VALUE_ABOVE.
rules:
  - name: amount limit
    when: order.amount > money("%s")
    reject: %s
  - name: item limit
    when: order.items.size() > %d
    reject: %s
  - name: high value
    when: order.amount > money("%s")
    handling: priority
    queue: critical
  - name: high priority
    when: order.priority == 1
    handling: expedited
`

// Builtin returns the set that decides and queues by the limits. They must not be
// beyond order.MaxMoney, which no setting can be; it panics otherwise.
func Builtin(l Limits) *Set {
	source := fmt.Sprintf(strings.TrimSpace(builtinText)+"\n", l.MaxAmount, ReasonAmountLimit, l.MaxItems, ReasonItemLimit, l.HighValueAbove)
	set, err := Parse([]byte(source))
	if err != nil {
		panic("rules: the builtin rules: " + err.Error())
	}
	set.version = order.VersionBuiltin
	return set
}
