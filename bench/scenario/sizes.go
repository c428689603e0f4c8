package scenario

import "time"

// Sizes is how much each scenario does.
type Sizes struct {
	// Clients is how many clients send at once.
	Clients int
	// Single, Batch, Drain and Sustained are orders.
	Single, Batch, Drain, Sustained int
	// PeerOrders is how many jobs each peer works; as Drain, for the same work.
	PeerOrders int
	// AtRate is how long orders are sent at a constant rate.
	AtRate time.Duration
	// Pickups is how many single orders an idle system is sent, and IdleFor how long
	// it is then watched doing nothing.
	Pickups int
	IdleFor time.Duration
	// PeerPickups is the same for each peer: some need most of a second for one.
	PeerPickups int
	// Low and Default are the orders that wait in these queues when the critical ones
	// come, for Urgent. Rush is how many critical ones then wait at once.
	Low, Default, Rush int
	Urgent             time.Duration
	// Subscribers is how many clients read all events, and Silent how many subscribe
	// and never read.
	Subscribers, Silent int
	// Backlogs are the numbers of orders that wait meanwhile, and Beside those that
	// are measured.
	Backlogs []int
	Beside   int
	// Spread is how many orders are spread over books, SpreadClients how many clients send
	// them and SpreadSlots how many worker slots work them.
	Spread, SpreadClients, SpreadSlots int
	// Work is how many orders go all the way through a whole system, after WarmUp others.
	// Both are multiples of rejectEvery.
	Work, WarmUp int
	// Afterwards is how long such a system may finish what follows the last outcome, such
	// as taking jobs off a queue, before its processor time is read.
	Afterwards time.Duration
	// Cost is for how many orders the processor time of an order is measured, and Kept are
	// the numbers of orders that were settled before.
	Cost int
	Kept []int
	// Simulated is how many orders a simulation decides.
	Simulated int
	// Memory is how many orders are weighed.
	Memory int
}

// Full returns sizes whose figures exceed the noise.
func Full() Sizes {
	return Sizes{
		Clients: 64, Single: 60_000, Batch: 120_000, Drain: 60_000, Sustained: 60_000, PeerOrders: 60_000,
		AtRate: 15 * time.Second, Pickups: 200, PeerPickups: 50, IdleFor: 10 * time.Second,
		Low: 100_000, Default: 40_000, Rush: 15_000, Urgent: 20 * time.Second,
		Subscribers: 200, Silent: 100,
		Backlogs: []int{1_000, 100_000, 1_000_000}, Beside: 30_000, Spread: 200_000, SpreadClients: 512, SpreadSlots: 512,
		Work: 20_000, WarmUp: 4_000, Afterwards: time.Second, Cost: 100_000, Kept: []int{10_000, 100_000, 1_000_000, 5_000_000}, Simulated: 100_000, Memory: 200_000,
	}
}

// Smoke returns sizes for finding out whether everything runs at all.
func Smoke() Sizes {
	return Sizes{
		Clients: 8, Single: 200, Batch: 2_000, Drain: 400, Sustained: 400, PeerOrders: 100,
		AtRate: 500 * time.Millisecond, Pickups: 3, PeerPickups: 3, IdleFor: 300 * time.Millisecond,
		Low: 2_000, Default: 2_000, Rush: 500, Urgent: 500 * time.Millisecond,
		Subscribers: 5, Silent: 3,
		Backlogs: []int{100, 500, 1_000}, Beside: 200, Spread: 400, SpreadClients: 64, SpreadSlots: 64,
		Work: 200, WarmUp: 50, Afterwards: 20 * time.Millisecond, Cost: 200, Kept: []int{100, 300}, Simulated: 300, Memory: 500,
	}
}
