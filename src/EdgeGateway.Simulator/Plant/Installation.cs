using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator.Plant;

/// <summary>Something at the site that does work: what it draws and what its sensors see follow from one state, so they agree.</summary>
internal abstract class Installation(Noise noise)
{
    /// <summary>Random numbers of this installation alone.</summary>
    protected Noise Noise { get; } = noise;

    /// <summary>What is wrong with it.</summary>
    public FaultSet Faults { get; } = new();

    /// <summary>Electric power drawn, in watts; negative when it generates.</summary>
    public double Watts { get; protected set; }

    /// <summary>Power factor of what it draws, above 0 to 1, lagging.</summary>
    public double PowerFactor { get; protected set; } = 0.95;

    /// <summary>How hard it works, 0 to 1.</summary>
    public double Load { get; protected set; }

    /// <summary>True while it runs.</summary>
    public virtual bool Running => true;

    /// <summary>Advances by one second to <paramref name="now"/>.</summary>
    public abstract void Tick(in Moment now);
}
