# So that it builds as a module: what it calls is not exported, but for generic_handle_irq().
s/handle_simple_irq(irq_to_desc(irqnum))/generic_handle_irq(irqnum)/
$a MODULE_LICENSE("GPL");
s/^#include <linux\/irq_sim.h>/&\n#include <linux\/module.h>/
