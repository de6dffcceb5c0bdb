using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator;

/// <summary>How one counter is shown: the exact count in quanta is cut to the register's resolution and rolled over as the profile says.</summary>
internal sealed class CounterRegister
{
    private readonly RegisterEncoding _encoding;
    private readonly long _quantaPerUnit;
    private readonly long _quantaPerStep;
    private readonly decimal _modulus;
    private readonly decimal _step;
    private readonly short _power;

    public CounterRegister(PointModel point, Quantity quantity)
    {
        _encoding = point.Encoding;
        _quantaPerUnit = UnitFactor.QuantaPerUnit(quantity, point.Unit);
        _power = PointState.PowerOf(point);
        _step = _encoding.Scale * (decimal)Math.Pow(10, _power);
        var step = _step * _quantaPerUnit;
        _quantaPerStep = _encoding.Offset == 0 && step >= 1 && step < long.MaxValue && step == decimal.Truncate(step) ? (long)step : 0;
        _modulus = point.Counter?.RolloverAt is { } rollover
            ? decimal.Truncate(rollover / _step)
            : _encoding.Type switch
            {
                RegisterType.Bit => 2,
                RegisterType.Int16 => 32_768,
                RegisterType.UInt16 => 65_536,
                RegisterType.Int32 => 2_147_483_648,
                RegisterType.UInt32 => 4_294_967_296,
                RegisterType.Bcd16 or RegisterType.Bcd32 or RegisterType.Bcd64 or RegisterType.Mod10 => (decimal)Math.Pow(10, 4 * _encoding.Length),
                _ => 0,
            };
    }

    /// <summary>Quanta of one step of the register; 0 where it shows no whole steps of them.</summary>
    public long QuantaPerStep => _quantaPerStep;

    /// <summary>Steps after which the register shows 0 again; 0 for one that never does.</summary>
    public decimal Steps => _modulus;

    /// <summary>Added to the growth: what the counter held when the simulation began, or since a reset or a swap.</summary>
    public long BaseQuanta { get; set; }

    /// <summary>Quanta of a reading in the point's unit.</summary>
    public long Quanta(double units) => (long)Math.Round(units * _quantaPerUnit);

    /// <summary>Quanta in the point's unit, exact for energy, mass and volume.</summary>
    public decimal InUnit(long quanta) => (decimal)quanta / _quantaPerUnit;

    /// <summary>The register's bits for a count of <paramref name="quanta"/> (base included).</summary>
    public ulong RawOf(long quanta)
    {
        if (!_encoding.IsStepped)
        {
            var reading = _modulus > 0 ? (double)(InUnit(quanta) % (_modulus * _encoding.Scale)) : (double)quanta / _quantaPerUnit;
            var number = (reading - (double)_encoding.Offset) / (double)_encoding.Scale;
            if (_encoding.Type == RegisterType.Float64)
            {
                return BitConverter.DoubleToUInt64Bits(number);
            }

            if (_encoding.Type == RegisterType.Float16)
            {
                var half = (Half)number;
                return BitConverter.HalfToUInt16Bits((double)half > number ? Half.BitDecrement(half) : half);
            }

            var single = (float)number;
            return BitConverter.SingleToUInt32Bits(single > number ? MathF.BitDecrement(single) : single);
        }

        if (_quantaPerStep > 0)
        {
            var steps = (ulong)(quanta / _quantaPerStep);
            return RegisterCodec.RawOfSteps(_encoding, _modulus > 0 && _modulus <= ulong.MaxValue ? steps % (ulong)_modulus : steps, _power);
        }

        var exact = decimal.Floor((InUnit(quanta) - _encoding.Offset) / _step);
        return RegisterCodec.RawOfSteps(_encoding, (ulong)Math.Max(0, _modulus > 0 ? exact % _modulus : exact), _power);
    }
}
