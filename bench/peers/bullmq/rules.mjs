// decide has the rules and bounds of the service; amounts are in the order's unit, as
// the body has them, and items are counted.
export function decide({ amount, items, priority }) {
  if (amount > 10_000) return { status: "rejected", error: "order amount exceeds limit" };
  if (items > 50) return { status: "rejected", error: "too many items in order" };
  if (amount > 1_000) return { status: "completed", handling: "priority" };
  return { status: "completed", handling: priority === 1 ? "expedited" : "standard" };
}
