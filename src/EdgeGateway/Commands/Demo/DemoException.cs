namespace EdgeGateway.Commands.Demo;

/// <summary>The demonstration cannot go on; the message says why and what to do.</summary>
internal sealed class DemoException(string message) : Exception(message);
