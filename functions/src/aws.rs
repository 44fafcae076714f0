//! Amazon's services: how they are reached, and what their refusals mean, in one line that names what is missing.

use std::{error::Error, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    config::ProvideCredentials as _,
    error::{ProvideErrorMetadata, SdkError},
};

/// How often one call is tried, by the SDK's own rules: throttled, failed and unanswered ones, each a little later.
const TRIES: u32 = 4;
/// The same where a start depends on it, within the ten seconds that a function has for one.
const PATIENT_TRIES: u32 = 9;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Something of Amazon's that the server uses.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind} {name} in {region}")]
pub struct Place {
    /// Its kind: `table`, `bucket`, `parameter`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Where it is looked for.
    pub region: String,
}

/// Why a call brought nothing. `action` is the right it needs, as policies name it.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// Nobody said where.
    #[error("no AWS region is set: set AWS_REGION")]
    NoRegion,
    /// No credentials were given.
    #[error("there are no AWS credentials ({0})")]
    NoCredentials(String),
    /// It is not there.
    #[error("the {0} does not exist")]
    Missing(Place),
    /// The credentials do not allow it.
    #[error("the permission {action} on the {place} is missing ({code})")]
    Forbidden {
        /// The action that was tried.
        action: &'static str,
        /// On what.
        place: Place,
        /// The service's name for it.
        code: String,
    },
    /// Too many requests at once, the service failed, or no answer came: later it may work.
    #[error("the {place} does not answer")]
    Unavailable {
        /// The action.
        place: Place,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Something else.
    #[error("{action} on the {place} failed")]
    Refused {
        /// The action that was tried.
        action: &'static str,
        /// On what.
        place: Place,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// How the services are reached: by the environment, as every program of Amazon's SDKs is told.
pub async fn configuration() -> Result<SdkConfig, AwsError> {
    let named = |name| std::env::var(name).ok().filter(|region| !region.is_empty());
    // The SDK would go on to ask the machine's own metadata service, and wait for it where there is none.
    let region = named("AWS_REGION").or_else(|| named("AWS_DEFAULT_REGION")).ok_or(AwsError::NoRegion)?;
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let loader = aws_config::defaults(BehaviorVersion::latest());
    let found = loader.region(Region::new(region)).retry_config(retries()).timeout_config(timeouts).load().await;
    // Later their absence would look like a service that does not answer, on several lines.
    let provider = found.credentials_provider().ok_or_else(|| AwsError::NoCredentials("no provider".into()))?;
    match provider.provide_credentials().await {
        Ok(_) => Ok(found),
        Err(error) => {
            let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            Err(AwsError::NoCredentials(reason.split_whitespace().collect::<Vec<_>>().join(" ")))
        }
    }
}

/// How often a call is tried, and with which pauses: what the SDK knows to pass is tried again.
pub fn retries() -> RetryConfig {
    let retries = RetryConfig::standard().with_max_attempts(TRIES);
    retries.with_initial_backoff(FIRST_PAUSE).with_max_backoff(LONGEST_PAUSE)
}

/// The text of a parameter of SSM, decrypted. With patience: of an account it takes 40 such calls a second, and when hosts
/// come back all at once, so do functions.
pub async fn parameter(configuration: &SdkConfig, name: &str) -> Result<String, AwsError> {
    let place = Place::new("parameter", name, configuration);
    let config = aws_sdk_ssm::config::Builder::from(configuration);
    let client =
        aws_sdk_ssm::Client::from_conf(config.retry_config(retries().with_max_attempts(PATIENT_TRIES)).build());
    let found = client.get_parameter().name(name).with_decryption(true).send().await;
    let found = found.map_err(|error| place.failed("ssm:GetParameter", error))?;
    let text = found.parameter.and_then(|parameter| parameter.value);
    text.ok_or(AwsError::Missing(place))
}

impl Place {
    /// Something in the region of this configuration.
    pub fn new(kind: &'static str, name: &str, configuration: &SdkConfig) -> Self {
        let region = configuration.region().map(ToString::to_string).unwrap_or_default();
        Self { kind, name: name.into(), region }
    }

    /// The meaning of a call's failure.
    pub fn failed<E>(&self, action: &'static str, error: SdkError<E>) -> AwsError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let place = self.clone();
        let SdkError::ServiceError(refused) = &error else {
            return AwsError::Unavailable { place, source: Box::new(error) };
        };
        // The answer to a HEAD has no body that would say a code.
        let status = refused.raw().status().as_u16();
        let code = refused.err().code().unwrap_or_default().to_owned();
        let message = refused.err().message().map(str::to_owned);
        // The service's own words, without the SDK's wrapping.
        let source: Box<dyn Error + Send + Sync> = match message {
            Some(message) => format!("{code}: {message}").into(),
            None if !code.is_empty() => code.clone().into(),
            None => Box::new(error),
        };
        match code.as_str() {
            "ResourceNotFoundException"
            | "NoSuchBucket"
            | "ParameterNotFound"
            | "PermanentRedirect"
            | "AuthorizationHeaderMalformed" => AwsError::Missing(place),
            "AccessDeniedException"
            | "AccessDenied"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "InvalidAccessKeyId"
            | "ExpiredTokenException"
            | "ExpiredToken" => AwsError::Forbidden { action, place, code },
            _ if status == 429 || status >= 500 => AwsError::Unavailable { place, source },
            "ThrottlingException"
            | "ThrottledException"
            | "RequestTimeout"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "TransactionConflictException"
            | "InternalServerError"
            | "InternalError"
            | "ServiceUnavailable"
            | "SlowDown" => AwsError::Unavailable { place, source },
            _ => AwsError::Refused { action, place, source },
        }
    }
}
