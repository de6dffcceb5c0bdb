using EdgeGateway.Core.Site;

namespace EdgeGateway.Doctoring;

/// <summary>The temperature of the processor.</summary>
internal static class HeatCheck
{
    // The marks of the profiles for computers (docs/box.md), in degrees Celsius.
    private const double Warm = 75;
    private const double Hot = 85;

    public static IEnumerable<Finding> Look(Patient patient)
    {
        yield return Patient.Number(patient.Places.Temperature(Sensor(patient))) is { } thousandths
            ? Finding.Marked(thousandths / 1000.0, Warm, Hot, $"The processor has {thousandths / 1000.0:F0} °C", "Give the cabinet air, the board a heat sink; a dusty fan or sun on the cabinet are the usual causes")
            : Finding.NotChecked($"Temperature: {patient.WhyNotShown(BoxSubject.Temperature) ?? "the sensor does not answer"}");
    }

    private static string? Sensor(Patient patient) => patient.Site?.Model.Buses.OfType<BoxBus>().FirstOrDefault()?.TemperatureSensor;
}
