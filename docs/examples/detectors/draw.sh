#!/bin/sh
# Draws the charts of docs/detection-examples.md anew: one simulated episode of each kind, replayed through the gateway's own code.
# The same program always draws the same pictures. EDGEGATEWAY names the program where it is not on the path.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
labelled=$here/../labelled
program=${EDGEGATEWAY:-edgegateway}
tables=$(mktemp -d)
trap 'rm -r "$tables"' EXIT

# Where each kind is seen best: the point that the rule watches.
point() {
    case $1 in
    belt-slip) echo scale.belt_speed ;;
    misalignment) echo switches.misalignment_tail_left ;;
    transfer-blocked | running-empty) echo scale.belt_load ;;
    overload) echo scale.mass_flow_rate ;;
    jam | foreign-object) echo drive.output_current ;;
    pull-cord) echo switches.pull_cord_2 ;;
    flatline | spike | energy-against-power) echo feeder.active_power_total ;;
    out-of-range) echo feeder.voltage_l2_n ;;
    rate | transformer-temperature) echo transformer.temperature_oil ;;
    drift) echo feeder.voltage_l3_n ;;
    gap) echo feeder.voltage_l1_n ;;
    counter-* | meter-swap) echo feeder.active_energy_import_total ;;
    lost-phase | imbalance) echo feeder.current_l3 ;;
    power-factor) echo feeder.power_factor_total ;;
    sag | swell) echo incomer.voltage_l3_n ;;
    frozen-analyser | o2-co2-inconsistency | zero-drift | span-drift | dilution) echo analyser.concentration_co2 ;;
    implausible-moisture) echo analyser.moisture ;;
    plugged-pitot) echo stream.gas_velocity ;;
    methane-rise | fan-stop | signal-failure) echo methane.concentration_ch4 ;;
    co-rise) echo roadway.concentration_co ;;
    *) echo "no point is named for '$1': add it to $0" >&2; exit 1 ;;
    esac
}

"$program" detect-bench "$labelled" --simulated --record "$tables" >"$tables/list"
while read -r kind site _ _ from to file; do
    at=$(point "$kind")
    "$program" replay "$file" --config "$labelled/$site" --chart "$tables/charts" --from "$from" --to "$to" --point "$at" >"$tables/$kind.txt" 2>/dev/null
    mv "$tables/charts/$at.svg" "$here/$kind.svg"
done <"$tables/list"
