namespace EdgeGateway.Core.Detection.Rules;

/// <summary>The inputs of a rule at one moment, in canonical units (<see cref="Profiles.Units"/>); an input that is not there is NaN.</summary>
internal readonly ref struct RuleView(ReadOnlySpan<InputTrack> tracks, double quickSeconds, double slowSeconds, double rated, double nominal)
{
    private readonly ReadOnlySpan<InputTrack> _tracks = tracks;

    /// <summary>Number of inputs.</summary>
    public int Count => _tracks.Length;

    /// <summary>The setting <c>nominal</c>; NaN when it is not given.</summary>
    public double Nominal => nominal;

    /// <summary>The rated value as it is stated; NaN when none is.</summary>
    public double Rated => rated;

    /// <summary>The value of an input.</summary>
    public double this[int input] => _tracks[input].Value;

    /// <summary>Whether an input is there.</summary>
    public bool Has(int input) => !double.IsNaN(_tracks[input].Value);

    /// <summary>Its quick mean.</summary>
    public double Quick(int input) => _tracks[input].Quick;

    /// <summary>Its slow mean.</summary>
    public double Slow(int input) => _tracks[input].Slow;

    /// <summary>Its change in a second: a ramp lags behind its mean by slope times time constant, so the means of two time constants lie apart by the slope times their difference.</summary>
    public double Rate(int input) => (_tracks[input].Quick - _tracks[input].Slow) / (slowSeconds - quickSeconds);

    /// <summary>The largest size that its quick mean had of late (forgotten within months).</summary>
    public double Peak(int input) => _tracks[input].Peak;

    /// <summary>How often it rose from zero, with the weight of past times falling off with the slow time constant.</summary>
    public double Rises(int input) => _tracks[input].Rises;

    /// <summary>The rated value, or the largest of <paramref name="input"/> when none is known.</summary>
    public double RatedOr(int input) => double.IsNaN(rated) ? Peak(input) : rated;

    /// <summary>The rated value, or the largest of any input when none is known.</summary>
    public double RatedOrLargest()
    {
        if (!double.IsNaN(rated))
        {
            return rated;
        }

        var largest = 0.0;
        foreach (ref readonly var track in _tracks)
        {
            largest = Math.Max(largest, track.Peak);
        }

        return largest;
    }

    /// <summary>Whether an input that may be missing stays within a share of its slow mean.</summary>
    public bool IsSteady(int input, double share) =>
        !Has(input) || Math.Abs(_tracks[input].Value - _tracks[input].Slow) <= share * Math.Abs(_tracks[input].Slow);
}
