using System.ClientModel;
using System.ClientModel.Primitives;
using AgentPlatform.Inference;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Chat;

namespace AgentPlatform.Client.Chat;

/// <summary>Any inference of the platform as a chat client of .NET.</summary>
public static class InferenceChatExtensions
{
    /// <summary>
    /// A chat client over <paramref name="inference"/>. It asks and answers by OpenAI's own client, so that tools, formats, usage and
    /// streams are what they are there.
    /// </summary>
    /// <param name="inference">Answers the requests.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="timeout">How long a request may take.</param>
    /// <param name="time">Measures it.</param>
    /// <remarks>
    /// Safe for concurrent use. Its calls throw <see cref="InferenceException"/> for every failure that the platform knows, also in the
    /// middle of a stream, and nothing is tried again.
    /// </remarks>
    public static IChatClient AsChatClient(this IInference inference, string model, TimeSpan timeout, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(inference);
        ArgumentException.ThrowIfNullOrEmpty(model);

#pragma warning disable CA2000 // The client keeps them for its life; neither holds anything that has to be released.
        var http = new HttpClient(new InferenceHandler(inference, model, timeout, time)) { Timeout = Timeout.InfiniteTimeSpan };
        return new RawOptionsChatClient(new ChatClient(model, new ApiKeyCredential("none"), new OpenAIClientOptions
        {
            Endpoint = new Uri("http://agentplatform/v1"), // Names no host: the handler is the server.
            Transport = new HttpClientPipelineTransport(http),
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
        }).AsIChatClient());
#pragma warning restore CA2000
    }
}
