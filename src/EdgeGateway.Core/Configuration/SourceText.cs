namespace EdgeGateway.Core.Configuration;

/// <summary>A text that a person wrote, with the name of the file as the person knows it.</summary>
/// <param name="FileName">Name for problem messages.</param>
/// <param name="Text">The whole text.</param>
public sealed record SourceText(string FileName, string Text);
