# With keep_outputs=1 a line that is let go keeps its level, as pinctrl-bcm2835 of Raspberry Pi OS has it.
/^static void gpio_sim_free/i\
static bool keep_outputs = true;\
module_param(keep_outputs, bool, 0644);\

/^static void gpio_sim_free/,/^}/s/^\t\(mutex_lock\|scoped_guard\|guard\)/\tif (keep_outputs)\n\t\treturn;\n\t\1/
