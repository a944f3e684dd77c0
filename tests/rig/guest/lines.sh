#!/bin/sh
# A gpiochip with the lines of a Raspberry Pi, and a folder of links to where their levels are read from outside.
set -eu
modprobe gpio-sim
pole=/sys/kernel/config/gpio-sim/pole
if [ ! -d $pole/bank0 ]; then
    mkdir -p $pole/bank0
    echo 54 >$pole/bank0/num_lines
    echo pinctrl-bcm2711 >$pole/bank0/label
    echo 1 >$pole/live
fi
chip=/sys/devices/platform/$(cat $pole/dev_name)/$(cat $pole/bank0/chip_name)
mkdir -p /run/rig/lines
for line in "$@"; do ln -sf "$chip/sim_gpio$line/value" "/run/rig/lines/gpio$line"; done
udevadm settle
