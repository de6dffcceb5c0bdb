using System.Runtime.CompilerServices;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>What a rule remembers of one input.</summary>
/// <remarks>
/// Means follow by the share dt / (time constant + dt), which needs no exponential, is the same on every machine, and lags behind a ramp by exactly
/// slope times time constant. A value that is a hundred times larger than all before is wild: a garbled reply, a word order that slipped. It is taken into no mean until
/// it has come five times in a row, because one such value would stand in the means for as long as they remember, and in the peak for months.
/// </remarks>
internal struct InputTrack
{
    /// <summary>No quantity of a plant is as large in its canonical unit; a float register that is read in a wrong word order often is.</summary>
    private const double Impossible = 1e15;

    /// <summary>So many times the largest size of late is wild.</summary>
    private const double Far = 100;

    /// <summary>So many wild values in a row are no reading error: the quantity is another one now.</summary>
    private const int Believed = 5;

    /// <summary>As long as fewer values were taken, the first of them may have been the wild one.</summary>
    private const int Settled = 8;

    private int _taken;
    private int _wild;

    /// <summary>The value now, in the canonical unit; NaN when it is not there.</summary>
    public double Value { get; private set; }

    public double Quick { get; private set; }

    public double Slow { get; private set; }

    public double Peak { get; private set; }

    public double Rises { get; private set; }

    /// <summary>True while a value stands that is too far from all before to be believed: nothing should be judged by it.</summary>
    public readonly bool IsWild => _wild is > 0 and < Believed;

    /// <summary>Whether a value in a canonical unit can be that of a plant at all; NaN and infinities are not.</summary>
    public static bool IsPossible(double value) => Math.Abs(value) < Impossible;

    /// <summary>Takes the value of this moment; NaN when there is none.</summary>
    /// <param name="value">The value.</param>
    /// <param name="quick">Share by which the quick mean follows.</param>
    /// <param name="slow">Share by which the slow mean follows; 0: it stands still.</param>
    /// <param name="forget">Share by which the peak falls; 0: it stands still.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // Called in one place, for each input of each sample.
    public void Take(double value, double quick, double slow, double forget)
    {
        var before = Value;
        Value = value;
        if (double.IsNaN(value))
        {
            return;
        }

        var size = Math.Abs(value);
        var peak = Peak;
        if (_taken < Settled && (_taken == 0 || size * Far < peak))
        {
            _taken = 1;
            _wild = 0;
            Quick = value;
            Slow = value;
            Peak = size;
            return;
        }

        var rises = Rises * (1 - slow);
        Rises = before <= 0 && value > 0 ? rises + 1 : rises;
        if (peak > 0 && size > Far * peak)
        {
            _wild = Math.Min(_wild + 1, Believed);
            if (_wild < Believed)
            {
                return;
            }
        }
        else
        {
            _wild = 0;
        }

        if (_taken < Settled)
        {
            _taken++;
        }

        var mean = Quick;
        mean += quick * (value - mean);
        Quick = mean;
        Slow += slow * (value - Slow);

        // The mean, but no more than two values in a row had: one high value is no peak, or it would close every gate that asks for a share of it. None of them is NaN or negative,
        // so that the processor's own minimum is that of every machine.
        var sure = double.MinNative(Math.Abs(mean), double.MinNative(size, double.IsNaN(before) ? size : Math.Abs(before)));
        Peak = forget > 0 && sure > peak ? sure : peak * (1 - forget);
    }

    public readonly void Save(StateWriter writer)
    {
        writer.Write((byte)(_taken | (_wild << 4)));
        writer.Write(Value);
        writer.Write(Quick);
        writer.Write(Slow);
        writer.Write(Peak);
        writer.Write(Rises);
    }

    public void Load(ref StateReader reader)
    {
        var counts = reader.ReadByte();
        _taken = counts & 0xF;
        _wild = counts >> 4;
        Value = reader.ReadDouble();
        Quick = reader.ReadDouble();
        Slow = reader.ReadDouble();
        Peak = reader.ReadDouble();
        Rises = reader.ReadDouble();
    }
}
