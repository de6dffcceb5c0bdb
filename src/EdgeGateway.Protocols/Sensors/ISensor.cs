namespace EdgeGateway.Protocols.Sensors;

/// <summary>A channel of a sensor. For one caller at a time.</summary>
public interface ISensor : IDisposable
{
    /// <summary>What the channel measures; <see cref="SensorQuantity.None"/> until it was found.</summary>
    SensorQuantity Quantity { get; }

    /// <summary>What is wrong with the last reading, why, and what to do; empty when nothing is.</summary>
    string Problem { get; }

    /// <summary>Reads the channel now, and waits as long as the hardware takes. What can go wrong with a sensor is a result, never an exception.</summary>
    SensorReading Read();
}
