using EdgeGateway.Core.Site;

namespace EdgeGateway.Simulator.Signals;

/// <summary>Finds the quantity that a point's role means, by the words of the role.</summary>
/// <remarks>By words and not by whole names, so that the dotted roles and their underscore aliases mean the same and a new phase or suffix needs no entry here.</remarks>
internal static class RoleSignals
{
    private static readonly char[] Separators = ['.', '_', '-', ' '];

    /// <summary>The signal for a point of a device of kind <paramref name="deviceKind"/>.</summary>
    public static Signal Resolve(string deviceKind, PointModel point)
    {
        var role = new Words(point.Role.Length > 0 ? point.Role : point.Id);
        return point.Kind switch
        {
            PointKind.Counter => Counter(role, point.Unit),
            PointKind.State => State(deviceKind, role, point),
            _ => Gauge(deviceKind, role, point.Unit),
        };
    }

    // A status word means "runs" only where its symbols say so.
    private static Signal State(string deviceKind, Words role, PointModel point) =>
        role.Any("serial") ? new(Quantity.SerialNumber)
        : role.Any("running") || (deviceKind == "drive" && role.Any("status") && point.Symbols is { Count: > 0 }) ? new(Quantity.Running)
        : new(Quantity.Healthy);

    private static Signal Counter(Words role, string unit)
    {
        if (role.Any("energy"))
        {
            var import = role.Any("import", "imported", "consumed");
            var export = role.Any("export", "exported", "produced", "delivered");
            var quantity = role.Any("reactive")
                ? (import ? Quantity.ReactiveEnergyImport : export ? Quantity.ReactiveEnergyExport : Quantity.ReactiveEnergyTotal)
                : role.Any("apparent")
                    ? Quantity.ApparentEnergy
                    : import ? Quantity.ActiveEnergyImport : export ? Quantity.ActiveEnergyExport : Quantity.ActiveEnergyTotal;
            return UnitFactor.IsEnergy(unit) ? new(quantity, role.Phase) : new(Quantity.NeutralCounter);
        }

        if (role.Any("hours", "runtime", "time", "duration"))
        {
            return new(Quantity.RunTime);
        }

        return role.Any("mass", "belt") ? new(Quantity.MassTotal) : role.Any("volume", "gas") ? new(Quantity.GasTotal) : new(Quantity.NeutralCounter);
    }

    private static Signal Gauge(string deviceKind, Words role, string unit)
    {
        if (role.Any("serial"))
        {
            return new(Quantity.SerialNumber);
        }

        if (role.Any("clock", "reached"))
        {
            return new(Quantity.Sequence);
        }

        // Calibration slopes, ranges, corrections and raw codes are settings of the instrument, not what it sees.
        if (role.Any("calibration", "slope", "range", "span", "raw", "analog", "signal", "pid", "cell", "supply", "correction"))
        {
            return default;
        }

        return deviceKind switch
        {
            "drive" => Drive(role),
            "belt-scale" => Belt(role),
            "vibration" => Vibration(role, unit),
            _ => role.Any("ventilation") ? Ventilation(role)
                : role.All("transformer", "temperature") ? new(role.Any("winding") ? Quantity.TransformerWinding : Quantity.TransformerOil)
                : role.Any("belt", "conveyor") || role.All("mass", "flow") ? Belt(role)
                : role.Any("drive", "motor") ? Drive(role)
                : role.Any("vibration") ? Vibration(role, unit)
                : deviceKind != "gas-analyser" && role.Any("gas") ? Air(role)
                : Gas(role) is { Quantity: not Quantity.Neutral } gas ? gas
                : Electricity(role),
        };
    }

    private static Signal Electricity(Words role)
    {
        var phase = role.Phase;
        if (role.Any("thd", "distortion", "harmonic"))
        {
            return new(role.Any("current", "i") ? Quantity.CurrentDistortion : Quantity.VoltageDistortion, phase);
        }

        if (role.Any("voltage"))
        {
            return new(role.PhaseCount == 2 || role.Any("ll", "line") ? Quantity.LineVoltage : Quantity.Voltage, phase);
        }

        if (role.Any("current"))
        {
            return role.Any("neutral", "n") && phase == 0 ? new(Quantity.NeutralCurrent) : new(Quantity.Current, phase);
        }

        if (role.Any("factor"))
        {
            return new(Quantity.PowerFactor, phase);
        }

        if (role.Any("power", "demand"))
        {
            return new(role.Any("reactive") ? Quantity.ReactivePower : role.Any("apparent") ? Quantity.ApparentPower : Quantity.ActivePower, phase);
        }

        if (role.Any("angle"))
        {
            return new(Quantity.PhaseAngle, phase);
        }

        return role.Any("frequency") ? new(Quantity.Frequency)
            : role.Any("temperature") ? new(role.Any("machine") ? Quantity.MachineTemperature : Quantity.AmbientTemperature)
            : role.Any("humidity") ? new(Quantity.AmbientHumidity)
            : default;
    }

    private static Signal Drive(Words role)
    {
        var reference = role.Any("reference", "setpoint", "command", "set");
        if (role.Any("torque"))
        {
            return new(Quantity.MotorTorque);
        }

        if (role.Any("speed", "rpm"))
        {
            return new(reference ? Quantity.ReferenceSpeed : Quantity.MotorSpeed);
        }

        if (role.Any("frequency"))
        {
            return new(reference ? Quantity.ReferenceFrequency : Quantity.OutputFrequency);
        }

        if (role.Any("voltage"))
        {
            return new(role.Any("dc", "bus", "link") ? Quantity.DcLinkVoltage : Quantity.OutputVoltage);
        }

        return role.Any("current") ? new(Quantity.MotorCurrent)
            : role.Any("power") ? new(Quantity.MotorPower)
            : role.Any("temperature") ? new(Quantity.DriveTemperature)
            : default;
    }

    private static Signal Belt(Words role) =>
        role.Any("speed") ? new(Quantity.BeltSpeed)
        : role.Any("flow", "rate") ? new(Quantity.MassFlow)
        : role.Any("load") ? new(Quantity.BeltLoad)
        : default;

    private static Signal Vibration(Words role, string unit) =>
        role.Any("kurtosis", "crest") ? default
        : role.Any("frequency") ? new(Quantity.Frequency)
        : role.Any("acceleration") ? new(Quantity.VibrationAcceleration)
        : role.Any("velocity") || unit == "mm/s" ? new(Quantity.VibrationVelocity)
        : role.Any("temperature") ? new(Quantity.MachineTemperature)
        : default;

    // Detectors hang in rooms, not in stacks.
    private static Signal Air(Words role) =>
        role.Any("co2") ? new(Quantity.AmbientCarbonDioxide)
        : role.Any("transformer") ? default
        : role.Any("ch4") ? new(Quantity.Methane)
        : role.Any("co") ? new(Quantity.AirCarbonMonoxide)
        : default;

    private static Signal Ventilation(Words role) =>
        role.Any("velocity") ? new(Quantity.AirVelocity) : role.Any("flow") ? new(Quantity.AirFlow) : default;

    private static Signal Gas(Words role)
    {
        var quantity =
            role.Any("o2", "oxygen") ? Quantity.Oxygen
            : role.Any("co2") ? Quantity.CarbonDioxide
            : role.Any("co") ? Quantity.CarbonMonoxide
            : role.Any("so2") ? Quantity.SulphurDioxide
            : role.Any("nox") ? Quantity.NitrogenOxides
            : role.Any("no2") ? Quantity.NitrogenDioxide
            : role.Any("no") ? Quantity.NitrogenMonoxide
            : role.Any("dust") ? Quantity.Dust
            : Quantity.Neutral;
        if (quantity != Quantity.Neutral)
        {
            return new(quantity);
        }

        if (!role.Any("gas", "flue"))
        {
            return default;
        }

        return role.Any("temperature") ? new(Quantity.GasTemperature)
            : role.Any("velocity") ? new(Quantity.GasVelocity)
            : role.Any("pressure") ? new(role.Any("dynamic", "differential") ? Quantity.DynamicPressure : Quantity.StaticPressure)
            : role.Any("moisture", "humidity", "h2o") ? new(Quantity.GasMoisture)
            : role.Any("flow") ? new(Quantity.GasFlow)
            : default;
    }

    private readonly struct Words(string role)
    {
        private readonly string[] _words = role.ToLowerInvariant().Split(Separators, StringSplitOptions.RemoveEmptyEntries);

        /// <summary>Phases named: <c>l1_n</c> names one, <c>l1_l2</c> two.</summary>
        public int PhaseCount => _words.Count(static w => w is "l1" or "l2" or "l3");

        /// <summary>The first phase named, 1 to 3; 0 when none is.</summary>
        public byte Phase
        {
            get
            {
                foreach (var word in _words)
                {
                    if (word is ['l', >= '1' and <= '3'])
                    {
                        return (byte)(word[1] - '0');
                    }
                }

                return 0;
            }
        }

        public bool Any(params ReadOnlySpan<string> words)
        {
            foreach (var word in words)
            {
                if (_words.Contains(word))
                {
                    return true;
                }
            }

            return false;
        }

        public bool All(string first, string second) => _words.Contains(first) && _words.Contains(second);
    }
}
