using Spectre.Console;

namespace EdgeGateway.Setup;

/// <summary>Whom the wizard talks to. Every question names the option that answers it in a script.</summary>
internal interface ISetupDialog
{
    /// <summary>Asks for a text.</summary>
    /// <param name="question">The question.</param>
    /// <param name="option">The option that answers it.</param>
    /// <param name="preset">What is proposed; null when nothing sensible can be.</param>
    /// <param name="problem">Says what is wrong with an answer; null when it is right.</param>
    /// <exception cref="FormatException">Nobody is there to answer, and nothing can be proposed or the proposal is wrong.</exception>
    string Text(string question, string option, string? preset, Func<string, string?> problem);

    /// <summary>Asks a question of yes and no.</summary>
    bool Confirm(string question, bool preset);

    /// <summary>Asks for one of several; the first is proposed.</summary>
    T Choose<T>(string question, IReadOnlyList<T> choices, Func<T, string> words)
        where T : notnull;

    /// <summary>Asks for any of several.</summary>
    IReadOnlyList<T> ChooseSeveral<T>(string question, IReadOnlyList<T> choices, Func<T, string> words)
        where T : notnull;
}

/// <summary>A person at a terminal.</summary>
internal sealed class TerminalDialog : ISetupDialog
{
    private const int Rows = 12;

    public string Text(string question, string option, string? preset, Func<string, string?> problem)
    {
        var prompt = new TextPrompt<string>(Markup.Escape(question)).Validate(text => problem(text) is { } wrong ? ValidationResult.Error($"[red]{Markup.Escape(wrong)}[/]") : ValidationResult.Success());
        prompt.AllowEmpty = problem("") is null;
        return AnsiConsole.Prompt(preset is null ? prompt : prompt.DefaultValue(preset).ShowDefaultValue(preset.Length > 0));
    }

    public bool Confirm(string question, bool preset) => AnsiConsole.Prompt(new ConfirmationPrompt(Markup.Escape(question)) { DefaultValue = preset });

    public T Choose<T>(string question, IReadOnlyList<T> choices, Func<T, string> words)
        where T : notnull
    {
        var chosen = AnsiConsole.Prompt(new SelectionPrompt<T>().Title(Markup.Escape(question)).PageSize(Rows).WrapAround().UseConverter(c => Markup.Escape(words(c))).AddChoices(choices));
        AnsiConsole.MarkupLineInterpolated($"{question} [blue]{words(chosen)}[/]");
        return chosen;
    }

    public IReadOnlyList<T> ChooseSeveral<T>(string question, IReadOnlyList<T> choices, Func<T, string> words)
        where T : notnull
    {
        var chosen = AnsiConsole.Prompt(new MultiSelectionPrompt<T>().Title(Markup.Escape(question)).PageSize(Rows).WrapAround().NotRequired()
            .InstructionsText("[grey](space marks, enter goes on)[/]").UseConverter(c => Markup.Escape(words(c))).AddChoices(choices));
        AnsiConsole.MarkupLineInterpolated($"{question} [blue]{string.Join(", ", chosen.Select(words))}[/]");
        return chosen;
    }
}

/// <summary>A script: what is proposed is taken, and what cannot be proposed has to stand in an option.</summary>
internal sealed class UnattendedDialog : ISetupDialog
{
    public string Text(string question, string option, string? preset, Func<string, string?> problem) => preset is null
        ? throw new FormatException($"{question} Nobody is asked with --yes: say it with {option}.")
        : problem(preset) is { } wrong ? throw new FormatException($"{wrong} Say it with {option}.") : preset;

    public bool Confirm(string question, bool preset) => preset;

    public T Choose<T>(string question, IReadOnlyList<T> choices, Func<T, string> words)
        where T : notnull => choices[0];

    public IReadOnlyList<T> ChooseSeveral<T>(string question, IReadOnlyList<T> choices, Func<T, string> words)
        where T : notnull => [];
}
