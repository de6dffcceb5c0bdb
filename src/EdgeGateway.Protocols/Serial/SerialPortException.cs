namespace EdgeGateway.Protocols.Serial;

/// <summary>A serial port could not be opened or set up; the message names the port and the cure.</summary>
public sealed class SerialPortException : IOException
{
    public SerialPortException()
    {
    }

    public SerialPortException(string message)
        : base(message)
    {
    }

    public SerialPortException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
