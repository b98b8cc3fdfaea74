using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;

namespace AgentPlatform.Worker.Engines.Servers;

/// <summary>How long an answer may become that the worker gathers from a server's stream.</summary>
internal static class AnswerSize
{
    /// <exception cref="InferenceException">502: it is longer.</exception>
    public static void RequireFit(int characters)
    {
        if (characters > UpstreamContent.MaxAnswerSize)
        {
            throw new InferenceException(
                InferenceError.EngineFailed("The model's server sent more than can be taken: its answer does not end."));
        }
    }
}
